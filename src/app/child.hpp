#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include <amphibus/app/supervise.hpp>

namespace amphibus::app_detail {

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
  void kill_group(int signal) const noexcept;
  /// Reads what is there and hands out whole lines; at the end of the output also the last one without newline.
  void read_lines(const std::function<void(const std::string&, const std::string&)>& on_line);
  /// Collects the exit status if it has one. Returns: true the one time it ended.
  bool reap();

 private:
  process_outcome outcome_;
  std::string rest_;
  int output_ = -1;
  bool ended_ = false;
};

}  // namespace amphibus::app_detail
