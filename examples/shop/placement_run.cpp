#include "placement_run.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>

#include <amphibus/app/supervise.hpp>
#include <amphibus/config/config.hpp>

#include "support/endpoints.hpp"

namespace shop {
namespace {

std::vector<amphibus::supervised_process> commands(const placement& which, const run_options& options,
                                                   const std::string& ledger) {
  const auto loaded = amphibus::config::load_file(which.file, {{}, {"zeromq"}});
  std::vector<std::string> common{"--config", which.file};
  for (const auto& each : loaded.value.processes) {
    common.insert(common.end(),
                  {"--set", "process." + each.name + ".endpoint=" +
                                support::free_endpoint(each.endpoint.value, each.name, options.directory)});
  }
  std::vector<std::string> own{"--", "--rounds", std::to_string(options.rounds), "--ledger", ledger};
  if (!options.sabotage.empty() && options.sabotage != "kill") own.insert(own.end(), {"--sabotage", options.sabotage});
  std::vector<amphibus::supervised_process> out;
  const auto add = [&](const std::string& name, const std::vector<std::string>& choice) {
    std::vector<std::string> arguments{options.program ? options.program(name) : "/proc/self/exe"};
    arguments.insert(arguments.end(), common.begin(), common.end());
    arguments.insert(arguments.end(), choice.begin(), choice.end());
    arguments.insert(arguments.end(), own.begin(), own.end());
    out.push_back({name, std::move(arguments)});
  };
  if (loaded.value.processes.empty()) add("shop", {});
  for (const auto& each : loaded.value.processes) add(each.name, {"--process", each.name});
  return out;
}

/// Takes what the processes print apart.
class listener {
 public:
  listener(const run_options& options, run_outcome& into) : options_(options), into_(into) {}

  void on_line(const std::string& name, const std::string& line) {
    unsigned long long number = 0;
    double seconds = 0;
    char digest[65] = {};
    if (std::sscanf(line.c_str(), "PROGRESS %llu", &number) == 1) {
      if (options_.on_progress) options_.on_progress(number);
      kill_one();
    } else if (std::sscanf(line.c_str(), "LEDGER messages=%llu seconds=%lf digest=%64s", &number, &seconds, digest) ==
               3) {
      into_.messages = number;
      into_.seconds = seconds;
      into_.digest = digest;
    } else if (std::sscanf(line.c_str(), "WIRE sent=%llu", &number) == 1) {
      into_.wire_bytes += number;
    } else {
      into_.complaints.push_back(name + ": " + line);
    }
  }

 private:
  /// The sabotage that needs no broken transport: a process dies in the middle.
  void kill_one() {
    if (options_.sabotage != "kill" || std::exchange(killed_, true) || into_.processes.size() < 2) return;
    ::kill(into_.processes[into_.processes.size() / 2].second, SIGKILL);
  }

  const run_options& options_;
  run_outcome& into_;
  bool killed_ = false;
};

std::string describe_failure(const amphibus::supervise_report& report, const run_outcome& of) {
  if (report.deadline_passed) return "not done before the deadline: the end of a stream never arrived";
  for (const auto& each : report.outcomes) {
    if (each.signal == SIGKILL) return "process " + each.name + " was killed";
  }
  if (report.exit_code != 0) return "a process failed" + (of.complaints.empty() ? "" : ": " + of.complaints.back());
  return of.digest.empty() ? "the ledger said nothing" : "";
}

}  // namespace

run_outcome run_placement(const placement& which, const run_options& options) {
  run_outcome out;
  const std::string ledger = options.directory + "/" + which.name + ".ledger";
  listener ears(options, out);
  amphibus::supervise_options watch;
  watch.deadline = options.deadline;
  watch.on_started = [&](const std::string& name, pid_t pid) { out.processes.emplace_back(name, pid); };
  watch.on_line = [&](const std::string& name, const std::string& line) { ears.on_line(name, line); };
  const auto report = amphibus::supervise(commands(which, options, ledger), watch);
  out.failure = describe_failure(report, out);
  std::ifstream lines(ledger);
  for (std::string line; std::getline(lines, line);) out.ledger.push_back(line);
  return out;
}

}  // namespace shop
