#include <amphibus/base/parker.hpp>

#include "base/futex.hpp"

namespace amphibus::base {
namespace {

constexpr std::uint32_t empty = 0;
constexpr std::uint32_t notified = 1;
constexpr std::uint32_t parked = 2;

}  // namespace

bool parker::park_until(time_point deadline) noexcept {
  std::uint32_t expected = empty;
  if (!state_.compare_exchange_strong(expected, parked, std::memory_order_acquire)) {
    state_.exchange(empty, std::memory_order_acquire);  // SYNC(parker.state)
    return true;
  }
  while (futex_wait(state_, parked, deadline)) {
    if (state_.load(std::memory_order_acquire) == notified) break;
  }
  return state_.exchange(empty, std::memory_order_acquire) == notified;  // SYNC(parker.state)
}

void parker::unpark() noexcept {
  if (state_.exchange(notified, std::memory_order_release) == parked) futex_wake(state_);  // SYNC(parker.state)
}

}  // namespace amphibus::base
