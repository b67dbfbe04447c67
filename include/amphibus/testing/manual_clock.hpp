#pragma once

#include <mutex>
#include <vector>

#include <amphibus/base/clock.hpp>

#pragma GCC visibility push(default)
namespace amphibus::testing {

/// Time that moves only when you say so: give it to bus_options::clock and deadlines become events of the test.
///
/// Thread: safe. Lifetime: outlives the bus.
class manual_clock final : public base::clock {
 public:
  /// Moves time forward and wakes everybody whose deadline is reached.
  void advance(base::duration by);
  /// Returns when `count` threads are parked here with a deadline that is not reached: the moment to advance.
  void wait_for_parked(std::size_t count);

  [[nodiscard]] base::time_point now() const noexcept override;
  bool park_until(base::parker& where, base::time_point deadline) noexcept override;

 private:
  struct sleeper {
    base::parker* where;
    base::time_point deadline;
    bool expired = false;
  };
  mutable std::mutex mutex_;
  base::time_point now_{std::chrono::hours(1)};
  std::vector<sleeper*> sleepers_;
  base::parker changed_;
};

}  // namespace amphibus::testing
#pragma GCC visibility pop
