#include "detail/call_waiters.hpp"

#include <algorithm>
#include <utility>

#include <amphibus/base/barrier.hpp>

namespace amphibus::detail {

constinit std::atomic<std::uint32_t> awaited_calls{0};

void tell_returned(const inline_caller* which) noexcept { call_waiters::of_process().tell(which); }

call_waiters& call_waiters::of_process() {
  static auto* const all = new call_waiters;  // never destroyed: threads publish until the very end
  return *all;
}

void call_waiters::add(std::shared_ptr<call_waiter> who) {
  awaited_calls.fetch_add(1, std::memory_order_relaxed);
  // Whoever finds it in the list looks at other callers' depths, which are true only after the barrier.
  base::heavy_barrier();
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(who));
}

void call_waiters::remove(const call_waiter& who) noexcept {
  std::shared_ptr<call_waiter> last;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](auto& each) { return each.get() == &who; });
  if (found == waiting_.end()) return;
  last = std::move(*found);
  waiting_.erase(found);
  awaited_calls.fetch_sub(1, std::memory_order_relaxed);
}

void call_waiters::tell(const inline_caller* which) noexcept {
  std::vector<std::shared_ptr<call_waiter>> all;
  {
    const std::lock_guard lock(mutex_);
    all = waiting_;
  }
  for (const auto& each : all) each->call_returned(which);
}

}  // namespace amphibus::detail
