#pragma once

#include <cstdint>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/time.hpp>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// One thread's place to sleep: unpark() before or during park() makes it return; several count as one.
///
/// A futex on Linux, std::atomic::wait with a poll for the deadline elsewhere.
/// Thread: park from one thread, unpark from any. Lifetime: outlives every unpark().
class parker {
 public:
  /// Sleeps until unpark() or `deadline`. Returns: true if unparked, false at the deadline.
  bool park_until(time_point deadline) noexcept;
  /// Sleeps until unpark().
  void park() noexcept { park_until(time_point::max()); }
  /// Wakes the parked thread, or makes the next park return at once.
  void unpark() noexcept;

 private:
  // SYNC(parker.state): unpark's exchange releases; park's exchange acquires what the waker did before.
  base::atomic<std::uint32_t> state_{0};
};

}  // namespace amphibus::base
#pragma GCC visibility pop
