#include <amphibus/base/atomic.hpp>
#include <amphibus/base/pause.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace amphibus::base {
namespace {

/// The least of several, because a thread that is interrupted meanwhile takes longer.
double nanoseconds_per_pause() noexcept {
  constexpr unsigned count = 100;
  double least = 1e9;
  for (int i = 0; i != 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    pause(count);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    least = std::min(least, took.count() / count);
  }
  return std::max(least, 0.5);
}

}  // namespace

void yield() noexcept { std::this_thread::yield(); }

unsigned pauses_in(duration time) noexcept {
  static const double each = nanoseconds_per_pause();
  const double wanted = std::chrono::duration<double, std::nano>(time).count() / each;
  return static_cast<unsigned>(std::clamp(wanted, 1.0, 1e6));
}

}  // namespace amphibus::base
