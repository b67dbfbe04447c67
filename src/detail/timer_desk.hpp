#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <vector>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/parker.hpp>
#include <amphibus/detail/timed.hpp>

namespace amphibus::detail {

/// Tells others when their time has come, by the bus's clock, on a thread that starts when it is needed. Asking
/// allocates nothing in the steady state; there is no taking back: who is told looks whether it still matters. Thread:
/// safe.
class timer_desk {
 public:
  explicit timer_desk(base::clock& time) noexcept : clock_(time) {}
  timer_desk(const timer_desk&) = delete;
  timer_desk& operator=(const timer_desk&) = delete;
  ~timer_desk() { stop(); }

  /// Before the first tell(). Throws: std::system_error if the system starts no thread.
  void start();
  /// Tells `who` at `when`, unless it is gone by then or the desk stopped.
  void tell(std::weak_ptr<timed> who, base::time_point when);
  /// Tells nobody any more. Precondition: not on the desk's thread.
  void stop() noexcept;

 private:
  struct entry {
    base::time_point when;
    std::weak_ptr<timed> who;
    [[nodiscard]] bool operator<(const entry& other) const noexcept { return when > other.when; }  // earliest on top
  };

  void run();
  /// Returns: whom to tell now, of the time `at`; null if nobody's has come, and then `at` is when it will have.
  [[nodiscard]] std::shared_ptr<timed> take_due(base::time_point& at);

  base::clock& clock_;
  base::parker parker_;
  std::mutex mutex_;
  std::priority_queue<entry> entries_;
  bool stopping_ = false;
  std::optional<std::thread> thread_;
};

}  // namespace amphibus::detail
