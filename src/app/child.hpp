#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include <amphibus/app/supervise.hpp>

namespace amphibus::app_detail {

using line_handler = std::function<void(const std::string& name, const std::string& line)>;

/// One child process: started in its own group, its output read line by line.
class child {
 public:
  /// Forks and executes. Throws: error process_failed with errno's text if the executable cannot be started.
  explicit child(const supervised_process& what);
  child(child&&) = delete;
  ~child();

  [[nodiscard]] const process_outcome& outcome() const noexcept { return outcome_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] int output() const noexcept { return output_; }
  /// Readable once it ended, a pidfd; -1 afterwards, and where the system has none. The signal alone may be lost:
  /// another thread of the program that does not block it may take it, and ignore it.
  [[nodiscard]] int end() const noexcept { return end_; }
  void kill_group(int signal) const noexcept;
  /// Reads some of what is there and hands out whole lines; bounded, so that a child that never stops printing cannot
  /// keep the caller from its signals. At the end of the output also hands out the last line without newline.
  void read_lines(const line_handler& on_line);
  /// Collects the exit status if the process ended; what it printed is handed out and the rest of its group killed.
  /// Returns: true the one time it ended.
  bool reap(const line_handler& on_line);

 private:
  void take(std::string_view text, const line_handler& on_line);
  void end_output(const line_handler& on_line);

  process_outcome outcome_;
  std::string rest_;
  int output_ = -1;
  int end_ = -1;
  bool ended_ = false;
};

}  // namespace amphibus::app_detail
