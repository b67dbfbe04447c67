#include "detail/call_waiters.hpp"

#include <algorithm>
#include <utility>

namespace amphibus::detail {

void call_waiters::add(std::shared_ptr<call_waiter> who) noexcept {
  list one{std::move(who)};
  awaited_.fetch_add(1, std::memory_order_relaxed);
  // Whoever finds it in the list looks at other callers, who are seen to call or not only after the barrier.
  base::heavy_barrier();
  const std::lock_guard lock(mutex_);
  waiting_.splice(waiting_.end(), one);
}

bool call_waiters::remove(const call_waiter& who) noexcept {
  list last;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](auto& each) { return each.get() == &who; });
  if (found == waiting_.end()) return false;
  last.splice(last.end(), waiting_, found);
  awaited_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void call_waiters::tell(const inline_caller* which) noexcept {
  list told;  // nobody else: what a stranger waits for must not end here
  {
    const std::lock_guard lock(mutex_);
    for (const auto& each : waiting_) {
      if (each->waits_for(which)) told.push_back(each);
    }
  }
  for (const auto& each : told) each->call_returned();
}

}  // namespace amphibus::detail
