#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace flight {

/// One placement to run.
struct placement {
  std::string name;       ///< for the table, e.g. over_ipc
  std::string file;       ///< its TOML file
  std::string transport;  ///< for the table
};

struct run_options {
  std::vector<std::string> arguments;  ///< for every process, after `--`
  std::string directory;               ///< for ipc sockets
  std::chrono::nanoseconds deadline{};
  std::function<void(const placement& of, std::uint64_t messages)> on_progress;
};

/// What was said about one topic, by who sent it and by who received it.
struct stream_outcome {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t reordered = 0;
  std::uint64_t lost = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  std::string sent_digest;
  std::string received_digest;
};

struct run_outcome {
  std::vector<std::pair<std::string, pid_t>> processes;
  std::map<std::string, stream_outcome> streams;  ///< by topic
  double seconds = 0;                             ///< from the first message to the end of the last stream
  std::vector<std::string> complaints;            ///< everything else that the processes said
  std::string failure;                            ///< empty: it ended well
};

/// Starts the processes of all `placements` at once, on free endpoints, watches them and collects what they say.
/// Returns: an outcome for each placement, in their order.
std::vector<run_outcome> run_placements(const std::vector<placement>& placements, const run_options& options);

}  // namespace flight
