#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace shop {

/// One placement to run.
struct placement {
  std::string name;       ///< for the table, e.g. two_over_ipc
  std::string file;       ///< its TOML file
  std::string transport;  ///< for the table
};

struct run_options {
  unsigned rounds = 1;
  std::string sabotage;   ///< lose, dup, swap, kill or empty
  std::string directory;  ///< for ipc sockets and ledgers
  std::chrono::seconds deadline{180};
  std::function<void(std::uint64_t messages)> on_progress;
  /// The executable of a process of the file; default: this one. So that processes of two versions can be mixed.
  std::function<std::string(const std::string& process)> program;
};

struct run_outcome {
  std::vector<std::pair<std::string, pid_t>> processes;
  std::uint64_t messages = 0;
  std::uint64_t wire_bytes = 0;
  double seconds = 0;
  std::string digest;
  std::vector<std::string> ledger;
  std::vector<std::string> complaints;  ///< everything else that the processes said
  std::string failure;                  ///< empty: it ended well
};

/// Starts the processes of a placement on free endpoints, watches them and collects what they say.
run_outcome run_placement(const placement& which, const run_options& options);

}  // namespace shop
