#pragma once

// Part of the seam of <amphibus/base/atomic.hpp>: a model test has a futex of its own.
#ifndef AMPHIBUS_ATOMICS
#include <atomic>
#include <cstdint>

#include <amphibus/base/time.hpp>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#else
#include <thread>
#endif

namespace amphibus::base {

#ifdef __linux__
/// Sleeps while `word` is `expected`; false at the deadline. Spurious returns are allowed.
inline bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, time_point deadline) noexcept {
  timespec absolute{};
  timespec* limit = nullptr;
  if (deadline != time_point::max()) {
    // The kernel knows no time before its start, and answers EINVAL.
    const auto since = std::max(duration::zero(), deadline.time_since_epoch()).count();
    absolute.tv_sec = static_cast<time_t>(since / 1'000'000'000);
    absolute.tv_nsec = static_cast<long>(since % 1'000'000'000);
    limit = &absolute;
  }
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC deadline, which is what steady_clock is on Linux.
  const auto answer =
      ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  return answer == 0 || errno != ETIMEDOUT;
}

inline void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
#else
inline bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, time_point deadline) noexcept {
  if (deadline == time_point::max()) return word.wait(expected), true;
  // Without a futex there is no wait with a deadline in C++20: poll coarsely; Linux never compiles this.
  if (std::chrono::steady_clock::now() >= deadline) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return true;
}

inline void futex_wake(std::atomic<std::uint32_t>& word) noexcept { word.notify_one(); }
#endif

}  // namespace amphibus::base
#endif
