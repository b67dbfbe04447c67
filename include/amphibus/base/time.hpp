#pragma once

// <mutex> declares chrono's durations and clocks without the calendars and formatting of <chrono>, which alone would
// cost a tenth of the compile-time budget of <amphibus/bus.hpp>.
#include <mutex>

#pragma GCC visibility push(default)
namespace amphibus::base {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::nanoseconds;

}  // namespace amphibus::base
#pragma GCC visibility pop
