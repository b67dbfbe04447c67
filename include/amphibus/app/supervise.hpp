#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace amphibus {

/// One process to start: its name for the output and its argument vector; arguments[0] is the executable's path.
/// Thread: const-safe.
struct supervised_process {
  std::string name;
  std::vector<std::string> arguments;
};

/// What supervise() can choose. Its callbacks run on the thread that called it.
struct supervise_options {
  /// From the first stop signal, or the first failure, to SIGKILL.
  std::chrono::nanoseconds close_deadline = std::chrono::seconds(6);
  /// From the start: what is not done then is a failure and stopped. Default: none.
  std::chrono::nanoseconds deadline = std::chrono::nanoseconds::max();
  /// Called when a child runs, before anything is read from it.
  std::function<void(const std::string& name, pid_t pid)> on_started;
  /// Called for every line of a child's stdout and stderr, without its newline; default: stdout, as `name | line`,
  /// coloured on a terminal unless NO_COLOR is set. Lines over 64 KiB come in pieces. It holds up the supervision.
  std::function<void(const std::string& name, const std::string& line)> on_line;
};

/// How one process ended. Thread: const-safe.
struct process_outcome {
  std::string name;
  pid_t pid = -1;
  int code = -1;   ///< exit code; -1 if a signal ended it
  int signal = 0;  ///< the signal that ended it; 0 if it exited
};

/// How all of them ended. Thread: const-safe.
struct supervise_report {
  bool deadline_passed = false;
  int exit_code = 0;  ///< 0 if every process exited with 0; else the first failure's code, or 128 + its signal
  std::vector<process_outcome> outcomes;
};

/// Starts all processes and returns when all have ended.
///
/// Each child leads a process group of its own, is killed when this process dies (SIGKILL, by the kernel; children of
/// its own are not reached then), reads nothing, inherits no descriptor, no blocked and no ignored stop signal, and
/// writes through us line by line. What it leaves running in its group ends with it. The first SIGINT or SIGTERM passes
/// SIGTERM on and starts the deadline; the second kills at once; a child that fails stops the others the same way.
///
/// Thread:    starts none; call it before the program has any (it forks).
/// Throws:    error process_failed if one cannot be started; the ones that run are killed and collected first.
supervise_report supervise(const std::vector<supervised_process>& processes, const supervise_options& options = {});

}  // namespace amphibus
#pragma GCC visibility pop
