#include "demo.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <amphibus/base/event.hpp>

#include "command_line.hpp"
#include "placement_run.hpp"
#include "support/numbers.hpp"
#include "support/scratch.hpp"
#include "topics.hpp"

namespace flight {
namespace {

using support::with_commas;

constexpr std::chrono::seconds log_length{69};
constexpr std::chrono::seconds spare_time{120};  // for a machine that does something else as well
constexpr std::size_t stream_count = std::tuple_size_v<decltype(recorded)> + 1;  // and the alerts

const std::array<placement, 3> known_placements{{{"in_process", FLIGHT_SOURCE_DIR "/in_process.toml", "memory"},
                                                 {"over_ipc", FLIGHT_SOURCE_DIR "/over_ipc.toml", "zeromq ipc"},
                                                 {"over_tcp", FLIGHT_SOURCE_DIR "/over_tcp.toml", "zeromq tcp"}}};

struct demo_options {
  std::vector<placement> placements{known_placements.begin(), known_placements.end()};
  std::vector<std::string> for_processes;  ///< --speed, --seconds and --sabotage are theirs
  std::string speed = "full";
  std::string sabotage;
  bool side_by_side = false;
};

/// A moving line, on a terminal only.
class progress_line {
 public:
  void show(const std::string& text) const {
    if (!terminal_) return;
    std::printf("\r\033[K%s", text.c_str());
    std::fflush(stdout);
  }

 private:
  const bool terminal_ = ::isatty(STDOUT_FILENO) != 0;
};

/// What is wrong with a topic; empty: nothing.
std::string fault_of(const stream_outcome& of) {
  const std::string counts = "sent " + with_commas(of.sent) + ", received " + with_commas(of.received);
  if (of.lost != 0) return counts + ", lost " + with_commas(of.lost);
  if (of.sent != of.received) return counts;
  if (of.reordered != 0) return with_commas(of.reordered) + " came after a later one";
  if (of.sent_digest != of.received_digest) return "the content of what was received is not that of what was sent";
  return {};
}

/// Everything that is wrong with a run, compared with the first.
std::vector<std::string> faults_of(const run_outcome& run, const run_outcome& first) {
  if (!run.failure.empty()) return {run.failure};
  std::vector<std::string> out;
  if (run.streams.size() != stream_count) out.push_back(std::to_string(run.streams.size()) + " topics spoke");
  for (const auto& [topic, of] : run.streams) {
    std::string wrong = fault_of(of);
    const auto there = first.streams.find(topic);
    if (wrong.empty() && there != first.streams.end() && there->second.received_digest != of.received_digest) {
      wrong = "the content differs from that of the first placement";
    }
    if (!wrong.empty()) out.push_back(topic + ": " + wrong);
  }
  return out;
}

/// Of the log; alerts are no part of it.
std::uint64_t recorded_messages(const run_outcome& of) {
  std::uint64_t sum = 0;
  for (const auto& [topic, stream] : of.streams) sum += topic == alerts.name() ? 0 : stream.received;
  return sum;
}

void print_table(const placement& which, const run_outcome& of) {
  const double rate = of.seconds > 0 ? static_cast<double>(recorded_messages(of)) / of.seconds : 0;
  std::printf("\n%s, %s: %.2f s, %s messages/s\n ", which.name.c_str(), which.transport.c_str(), of.seconds,
              with_commas(static_cast<std::uint64_t>(rate)).c_str());
  for (const auto& [name, pid] : of.processes) std::printf(" %s:%d", name.c_str(), static_cast<int>(pid));
  std::printf("\n  %-34s %8s %9s %10s %6s %11s %11s %11s\n", "topic", "sent", "received", "reordered", "lost", "p50 us",
              "p99 us", "p99.9 us");
  for (const auto& [topic, each] : of.streams) {
    std::printf("  %-34s %8s %9s %10s %6s %11.1f %11.1f %11.1f\n", amphibus::escaped(topic).c_str(),
                with_commas(each.sent).c_str(), with_commas(each.received).c_str(), with_commas(each.reordered).c_str(),
                with_commas(each.lost).c_str(), each.p50_us, each.p99_us, each.p999_us);
  }
  for (const std::string& each : of.complaints) std::printf("  %s\n", amphibus::escaped(each, 300).c_str());
  std::fflush(stdout);
}

std::vector<run_outcome> run_all(const demo_options& options) {
  const support::scratch directory("amphibus-flight");
  const progress_line line;
  run_options with;
  with.arguments = options.for_processes;
  with.directory = directory.path();
  with.deadline = log_length + spare_time;
  with.on_progress = [&](const placement& of, std::uint64_t messages) {
    line.show("  " + of.name + "  " + with_commas(messages) + " messages");
  };
  std::vector<run_outcome> out;
  const auto run = [&](const std::vector<placement>& at_once) {
    line.show("  " + at_once.front().name + "  starting");
    for (run_outcome& each : run_placements(at_once, with)) {
      line.show("");
      print_table(at_once[out.size() % at_once.size()], each);
      out.push_back(std::move(each));
    }
  };
  if (options.side_by_side) {
    run(options.placements);
  } else {
    for (const placement& each : options.placements) run({each});
  }
  return out;
}

int run(const demo_options& options) {
  std::printf("The flight of an AUAV X2.1, replayed at %s%s%s\n",
              options.speed == "10x" ? "ten times its speed"
                                     : (options.speed + (options.speed == "full" ? " speed" : " time")).c_str(),
              options.side_by_side ? ", placements side by side" : "",
              options.sabotage.empty() ? "" : (", sabotage " + options.sabotage).c_str());
  const auto outcomes = run_all(options);
  std::size_t failed = 0;
  std::printf("\n");
  for (std::size_t i = 0; i != outcomes.size(); ++i) {
    const auto faults = faults_of(outcomes[i], outcomes.front());
    failed += faults.empty() ? 0 : 1;
    for (const std::string& each : faults)
      std::printf("%s: %s\n", options.placements[i].name.c_str(), amphibus::escaped(each, 300).c_str());
  }
  if (failed == 0) {
    std::printf("PASS: %s messages on %zu topics, all there and in order, in %zu placement(s)\n",
                with_commas(recorded_messages(outcomes.front())).c_str(), stream_count - 1, outcomes.size());
    return 0;
  }
  std::printf("FAIL: %zu of %zu placement(s)\n", failed, outcomes.size());
  if (!options.sabotage.empty()) std::printf("  (expected: the transport was broken on purpose)\n");
  return 1;
}

bool choose_placement(const std::string& name, demo_options& into) {
  const auto found = std::find_if(known_placements.begin(), known_placements.end(),
                                  [&](const placement& each) { return each.name == name; });
  if (found == known_placements.end()) return false;
  into.placements = {*found};
  return true;
}

bool read_options(const std::vector<std::string>& from, demo_options& into) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] == "--side-by-side") {
      into.side_by_side = true;
      continue;
    }
    const std::string value = i + 1 < from.size() ? from[i + 1] : "";
    settings ignored;
    if (from[i] == "--placement" ? !choose_placement(value, into) : !read_setting(from[i], value, ignored)) {
      std::fprintf(
          stderr,
          "flight demo: '%s %s' is unknown; known: --placement in_process|over_ipc|over_tcp, --side-by-side, %s\n",
          amphibus::escaped(from[i]).c_str(), amphibus::escaped(value).c_str(), known_settings);
      return false;
    }
    if (from[i] == "--speed") into.speed = value;
    if (from[i] == "--sabotage") into.sabotage = value;
    if (from[i] != "--placement") into.for_processes.insert(into.for_processes.end(), {from[i], value});
    ++i;
  }
  return true;
}

}  // namespace

int run_demo(const std::vector<std::string>& arguments) {
  demo_options options;
  return read_options(arguments, options) ? run(options) : 2;
}

}  // namespace flight
