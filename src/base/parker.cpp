#include <amphibus/base/parker.hpp>

#include <algorithm>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#else
#include <thread>
#endif

namespace amphibus::base {
namespace {

constexpr std::uint32_t empty = 0;
constexpr std::uint32_t notified = 1;
constexpr std::uint32_t parked = 2;

#ifdef __linux__
/// Sleeps while `word` is `parked`; false at the deadline. Spurious returns are allowed.
bool futex_wait(std::atomic<std::uint32_t>& word, time_point deadline) noexcept {
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
      ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, parked, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  return answer == 0 || errno != ETIMEDOUT;
}

void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
#else
bool futex_wait(std::atomic<std::uint32_t>& word, time_point deadline) noexcept {
  if (deadline == time_point::max()) return word.wait(parked), true;
  // Without a futex there is no wait with a deadline in C++20: poll coarsely; Linux never compiles this.
  if (std::chrono::steady_clock::now() >= deadline) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return true;
}

void futex_wake(std::atomic<std::uint32_t>& word) noexcept { word.notify_one(); }
#endif

}  // namespace

bool parker::park_until(time_point deadline) noexcept {
  std::uint32_t expected = empty;
  if (!state_.compare_exchange_strong(expected, parked, std::memory_order_acquire)) {
    state_.exchange(empty, std::memory_order_acquire);  // SYNC(parker.state)
    return true;
  }
  while (futex_wait(state_, deadline)) {
    if (state_.load(std::memory_order_acquire) == notified) break;
  }
  return state_.exchange(empty, std::memory_order_acquire) == notified;  // SYNC(parker.state)
}

void parker::unpark() noexcept {
  if (state_.exchange(notified, std::memory_order_release) == parked) futex_wake(state_);  // SYNC(parker.state)
}

}  // namespace amphibus::base
