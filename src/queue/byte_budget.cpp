#include <amphibus/queue/byte_budget.hpp>

#include <algorithm>
#include <mutex>

#include <amphibus/base/barrier.hpp>

namespace amphibus::queue {
namespace {

constexpr std::int64_t share_max_bytes = 64 * 1024;

}  // namespace

bool byte_budget::refill(budget_share& share, std::int64_t cost) {
  if (!share.joined_) {
    const std::lock_guard lock(mutex_);
    share.joined_ = true;
    share.next_ = first_;
    if (first_ != nullptr) first_->previous_ = &share;
    first_ = &share;
    share_count_.fetch_add(1, std::memory_order_relaxed);
  }
  const std::int64_t has = share.bytes_.load(std::memory_order_relaxed);
  // Where it cannot suffice nothing is taken: two large messages would wait for what the other one holds.
  if (credit().available() < cost - has) return false;
  // Few take much in advance, many a little: together they hoard some eighth of the budget.
  const std::int64_t in_advance = credit().capacity() / (8 * share_count_.load(std::memory_order_relaxed));
  const std::int64_t now = has + credit().take(std::max(cost - has, std::min(in_advance, share_max_bytes)));
  share.bytes_.store(now, std::memory_order_relaxed);
  return now >= cost;
}

void byte_budget::part(budget_share& share) noexcept {
  if (!share.joined_) return;
  {
    const std::lock_guard lock(mutex_);
    (share.previous_ != nullptr ? share.previous_->next_ : first_) = share.next_;
    if (share.next_ != nullptr) share.next_->previous_ = share.previous_;
    share_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  return_share(share);
}

bool byte_budget::reclaim_idle_credit() {
  const std::lock_guard lock(mutex_);
  if (credit().is_waited_for()) wait_for_takers();
  if (shared_locked() == 0) return false;
  std::int64_t found = 0;
  for (budget_share* each = first_; each != nullptr; each = each->next_) {
    if (each->bytes_.load(std::memory_order_relaxed) == 0) continue;
    each->owner_.exclude();
    found += each->bytes_.exchange(0, std::memory_order_relaxed);
    each->owner_.admit();
  }
  if (found > 0) give_back(found);
  return found > 0;
}

void byte_budget::wait_for_takers() const noexcept {
  base::heavy_barrier();
  for (const budget_share* each = first_; each != nullptr; each = each->next_) each->owner_.wait_outside();
}

std::int64_t byte_budget::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return std::max<std::int64_t>(0, credit().capacity() - credit().available() - shared_locked());
}

std::int64_t byte_budget::shared_locked() const noexcept {
  std::int64_t sum = 0;
  for (const budget_share* each = first_; each != nullptr; each = each->next_) {
    sum += each->bytes_.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace amphibus::queue
