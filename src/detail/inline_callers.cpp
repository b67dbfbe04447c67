#include "detail/inline_callers.hpp"

#include <algorithm>

namespace amphibus::detail {

void inline_callers::join(inline_caller& who) {
  const std::lock_guard lock(mutex_);
  callers_.push_back(&who);
}

void inline_callers::part(inline_caller& who) {
  const std::lock_guard lock(mutex_);
  std::erase(callers_, &who);
  handled_by_parted_ += who.handled();
}

bool inline_callers::includes(const inline_caller* which) {
  const std::lock_guard lock(mutex_);
  return std::find(callers_.begin(), callers_.end(), which) != callers_.end();
}

std::uint64_t inline_callers::handled() {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = handled_by_parted_;
  for (const inline_caller* each : callers_) sum += each->handled();
  return sum;
}

void inline_callers::begin_end() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
}

bool inline_callers::somebody_calls() const {
  return std::any_of(callers_.begin(), callers_.end(), [](const inline_caller* each) { return each->is_calling(); });
}

bool inline_callers::take_last() {
  const std::lock_guard lock(mutex_);
  if (!ending_ || last_is_taken_ || somebody_calls()) return false;
  return last_is_taken_ = true;
}

void inline_callers::tell_all() noexcept {
  returned_.fetch_add(1, std::memory_order_release);
  returned_.notify_all();
}

void inline_callers::wait_for_last() {
  for (;;) {
    const std::uint32_t seen = returned_.load(std::memory_order_acquire);
    {
      const std::lock_guard lock(mutex_);
      // Once it is taken, whoever calls finds that it ended, and tells nobody: nothing waits any more.
      if (last_is_taken_ || !somebody_calls()) return;
    }
    returned_.wait(seen, std::memory_order_acquire);
  }
}

}  // namespace amphibus::detail
