#pragma once

#include <amphibus/base/parker.hpp>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Where every deadline of the library comes from, so that tests can hold time still.
///
/// Only steady time decides; wall-clock time is data.
/// Thread: safe. Lifetime: outlives every bus that uses it.
class clock {
 public:
  clock() = default;
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;
  virtual ~clock() = default;

  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// Parks until unparked or until this clock reaches `deadline`. Returns: true if unparked.
  virtual bool park_until(parker& where, time_point deadline) noexcept = 0;
};

/// The machine's steady clock.
clock& steady_clock() noexcept;

/// `now + limit` without overflow: a limit too large to represent means "for ever", one below zero has passed.
[[nodiscard]] inline time_point deadline_after(time_point now, duration limit) noexcept {
  if (limit < duration::zero()) return now;
  return limit >= time_point::max() - now ? time_point::max() : now + limit;
}

}  // namespace amphibus::base
#pragma GCC visibility pop
