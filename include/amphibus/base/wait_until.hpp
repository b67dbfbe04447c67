#pragma once

#include <stop_token>

#include <amphibus/base/clock.hpp>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Waits until `time` reaches `deadline`: the pause of a thread that does something at set times.
///
/// ```cpp
/// const auto tick_every_second = [](amphibus::base::clock& time, const std::stop_token& stop) {
///   auto next = time.now();
///   while (amphibus::base::wait_until(time, next, stop)) next += std::chrono::seconds(1);  // tick
/// };
/// ```
/// The thread follows whatever clock it was given, so with testing::manual_clock nothing real passes. Use
/// receiver::next_until where the thread waits for messages as well.
///
/// Returns:   true at the deadline, at once if it has passed; false as soon as `stop` is requested, also if both.
/// Thread:    safe.   Blocks: until then.   Allocates: never.
[[nodiscard]] bool wait_until(clock& time, time_point deadline, const std::stop_token& stop);

}  // namespace amphibus::base
#pragma GCC visibility pop
