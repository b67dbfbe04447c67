#include <new>
#include <utility>

#ifdef __unix__
#include <pthread.h>
#endif

#include "detail/call_waiters.hpp"

namespace amphibus::detail {

constinit std::atomic<std::uint32_t> awaited_calls{0};

namespace {
/// Before anybody can fork() in the middle of it, which the child would wait for.
[[maybe_unused]] const call_waiters& made_at_start = call_waiters::of_process();
}  // namespace

void tell_returned(const inline_caller* which) noexcept { call_waiters::of_process().tell(which); }

call_waiters& call_waiters::of_process() {
  static auto* const all = [] {
#ifdef __unix__
    ::pthread_atfork([] { of_process().before_fork(); }, [] { of_process().after_fork(); },
                     [] { of_process().forget_in_child(); });
#endif
    return new call_waiters(awaited_calls);  // never destroyed: threads publish until the very end
  }();
  return *all;
}

void call_waiters::forget_in_child() {
  new list(std::move(waiting_));  // left alone: what waits there is the parent's, whose locks somebody may hold
  waiting_.clear();
  awaited_.store(0, std::memory_order_relaxed);
  mutex_.unlock();
}

}  // namespace amphibus::detail
