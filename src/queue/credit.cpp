#include <amphibus/queue/credit.hpp>

#include <limits>

namespace amphibus::queue {

// Listeners are called under the mutex: they only unpark or set a flag, and forget() may then rely on it.
void credit_account::notify_all() noexcept { notify(std::numeric_limits<std::int64_t>::max()); }

void credit_account::notify(std::int64_t free) noexcept {
  const std::lock_guard lock(mutex_);
  space_listener** link = &first_;
  while (*link != nullptr) {
    space_listener& who = **link;
    if (when_ == waking::by_need && who.needed_ > free) {
      link = &who.next_;
      continue;
    }
    *link = who.next_;
    who.listed_ = false;
    who.space_available();
  }
  find_wake_mark();
}

bool credit_account::listen(space_listener& who, std::int64_t needed) noexcept {
  const std::lock_guard lock(mutex_);
  who.needed_ = needed;
  if (!who.listed_) {
    who.next_ = first_;
    who.listed_ = true;
    first_ = &who;
  }
  find_wake_mark();
  if (free_.load(std::memory_order_seq_cst) < needed) return true;
  unlink(who);
  return false;
}

void credit_account::forget(space_listener& who) noexcept {
  const std::lock_guard lock(mutex_);
  unlink(who);
}

void credit_account::unlink(space_listener& who) noexcept {
  if (!who.listed_) return;
  space_listener** link = &first_;
  while (*link != &who) link = &(*link)->next_;
  *link = who.next_;
  who.listed_ = false;
  find_wake_mark();
}

void credit_account::find_wake_mark() noexcept {
  if (when_ == waking::by_need) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const space_listener* each = first_; each != nullptr; each = each->next_) {
      least = each->needed_ < least ? each->needed_ : least;
    }
    wake_at_.store(least, std::memory_order_seq_cst);
  }
  waiting_.store(first_ != nullptr, std::memory_order_seq_cst);
}

}  // namespace amphibus::queue
