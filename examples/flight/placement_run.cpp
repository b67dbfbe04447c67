#include "placement_run.hpp"

#include <array>
#include <cstdio>

#include <amphibus/app/supervise.hpp>
#include <amphibus/config/config.hpp>

#include "support/endpoints.hpp"

namespace flight {
namespace {

/// The processes of a placement, called `placement/process`: supervise() knows nothing of placements.
void add_commands(const placement& which, const run_options& options, std::vector<amphibus::supervised_process>& into) {
  const auto loaded = amphibus::config::load_file(which.file, {{}, {"zeromq"}});
  std::vector<std::string> common{"/proc/self/exe", "--config", which.file};
  for (const auto& each : loaded.value.processes) {
    const std::string endpoint =
        support::free_endpoint(each.endpoint.value, which.name + "." + each.name, options.directory);
    common.insert(common.end(), {"--set", "process." + each.name + ".endpoint=" + endpoint});
  }
  const auto add = [&](const std::string& name, const std::vector<std::string>& choice) {
    std::vector<std::string> arguments = common;
    arguments.insert(arguments.end(), choice.begin(), choice.end());
    arguments.emplace_back("--");
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    into.push_back({which.name + "/" + name, std::move(arguments)});
  };
  if (loaded.value.processes.empty()) add("flight", {});
  for (const auto& each : loaded.value.processes) add(each.name, {"--process", each.name});
}

/// Takes what the processes print apart.
class listener {
 public:
  listener(const std::vector<placement>& placements, const run_options& options, std::vector<run_outcome>& into)
      : placements_(placements), options_(options), into_(into) {}

  void on_started(const std::string& name, pid_t pid) {
    into_[index_of(name)].processes.emplace_back(process_of(name), pid);
  }
  void on_line(const std::string& name, const std::string& line) {
    const std::size_t index = index_of(name);
    run_outcome& to = into_[index];
    unsigned long long number = 0;
    if (std::sscanf(line.c_str(), "PROGRESS %llu", &number) == 1) {
      if (options_.on_progress) options_.on_progress(placements_[index], number);
    } else if (std::sscanf(line.c_str(), "DONE %lf", &to.seconds) != 1 && !take_stream(line, to)) {
      to.complaints.push_back(process_of(name) + ": " + line);
    }
  }
  [[nodiscard]] std::size_t index_of(const std::string& name) const {
    std::size_t index = 0;
    while (index + 1 < placements_.size() && !name.starts_with(placements_[index].name + "/")) ++index;
    return index;
  }
  [[nodiscard]] static std::string process_of(const std::string& name) { return name.substr(name.find('/') + 1); }

 private:
  static bool take_stream(const std::string& line, run_outcome& to) {
    std::array<char, 201> topic{};
    std::array<char, 17> digest{};
    unsigned long long count = 0;
    unsigned long long reordered = 0;
    unsigned long long lost = 0;
    std::array<double, 3> latency{};
    if (std::sscanf(line.c_str(), "SENT %200s %llu %16s", topic.data(), &count, digest.data()) == 3) {
      stream_outcome& of = to.streams[topic.data()];
      of.sent = count;
      of.sent_digest = digest.data();
      return true;
    }
    if (std::sscanf(line.c_str(), "RECEIVED %200s %llu %llu %llu %lf %lf %lf %16s", topic.data(), &count, &reordered,
                    &lost, &latency[0], &latency[1], &latency[2], digest.data()) != 8) {
      return false;
    }
    stream_outcome& of = to.streams[topic.data()];
    of = {of.sent, count, reordered, lost, latency[0], latency[1], latency[2], of.sent_digest, digest.data()};
    return true;
  }

  const std::vector<placement>& placements_;
  const run_options& options_;
  std::vector<run_outcome>& into_;
};

std::string failure_of(const run_outcome& of, const std::vector<amphibus::process_outcome>& processes) {
  for (const auto& each : processes) {
    if (each.code == 0) continue;
    const std::string how = each.signal != 0 ? "was ended by signal " + std::to_string(each.signal)
                                             : "failed with " + std::to_string(each.code);
    return "process " + listener::process_of(each.name) + " " + how +
           (of.complaints.empty() ? "" : ", after: " + of.complaints.back());
  }
  return of.seconds > 0 ? "" : "the monitor said nothing";
}

}  // namespace

std::vector<run_outcome> run_placements(const std::vector<placement>& placements, const run_options& options) {
  std::vector<run_outcome> out(placements.size());
  std::vector<amphibus::supervised_process> processes;
  for (const placement& each : placements) add_commands(each, options, processes);
  listener ears(placements, options, out);
  amphibus::supervise_options watch;
  watch.deadline = options.deadline;
  watch.on_started = [&](const std::string& name, pid_t pid) { ears.on_started(name, pid); };
  watch.on_line = [&](const std::string& name, const std::string& line) { ears.on_line(name, line); };
  const auto report = amphibus::supervise(processes, watch);
  std::vector<std::vector<amphibus::process_outcome>> ended(placements.size());
  for (const auto& each : report.outcomes) ended[ears.index_of(each.name)].push_back(each);
  for (std::size_t i = 0; i != out.size(); ++i) {
    out[i].failure = failure_of(out[i], ended[i]);
    if (!out[i].failure.empty() && report.deadline_passed)
      out[i].failure = "not done before the deadline: a stream never ended";
  }
  return out;
}

}  // namespace flight
