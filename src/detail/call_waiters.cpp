#include "detail/call_waiters.hpp"

#include <algorithm>
#include <utility>

#ifdef __unix__
#include <pthread.h>
#endif

#include <amphibus/base/barrier.hpp>

namespace amphibus::detail {

constinit std::atomic<std::uint32_t> awaited_calls{0};

namespace {
/// Before anybody can fork() in the middle of it, which the child would wait for.
[[maybe_unused]] const call_waiters& made_at_start = call_waiters::of_process();
}  // namespace

void tell_returned(const inline_caller* which) noexcept { call_waiters::of_process().tell(which); }

call_waiters& call_waiters::of_process() {
  static auto* const all = new call_waiters;  // never destroyed: threads publish until the very end
  return *all;
}

call_waiters::call_waiters() {
#ifdef __unix__
  ::pthread_atfork([] { of_process().mutex_.lock(); }, [] { of_process().mutex_.unlock(); },
                   [] { of_process().forget_in_child(); });
#endif
}

void call_waiters::forget_in_child() {
  new list(std::move(waiting_));  // left alone: what waits there is the parent's, whose locks somebody may hold
  waiting_.clear();
  awaited_calls.store(0, std::memory_order_relaxed);
  mutex_.unlock();
}

void call_waiters::add(std::shared_ptr<call_waiter> who) noexcept {
  list one{std::move(who)};
  awaited_calls.fetch_add(1, std::memory_order_relaxed);
  // Whoever finds it in the list looks at other callers' depths, which are true only after the barrier.
  base::heavy_barrier();
  const std::lock_guard lock(mutex_);
  waiting_.splice(waiting_.end(), one);
}

void call_waiters::remove(const call_waiter& who) noexcept {
  list last;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](auto& each) { return each.get() == &who; });
  if (found == waiting_.end()) return;
  last.splice(last.end(), waiting_, found);
  awaited_calls.fetch_sub(1, std::memory_order_relaxed);
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
