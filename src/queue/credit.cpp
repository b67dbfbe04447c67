#include <amphibus/queue/credit.hpp>

namespace amphibus::queue {

// Listeners are called under the mutex: they only unpark or set a flag, and forget() may then rely on it.
void credit_account::notify_all() noexcept {
  const std::lock_guard lock(mutex_);
  waiting_.store(false, std::memory_order_seq_cst);
  while (first_ != nullptr) {
    space_listener& who = *first_;
    first_ = who.next_;
    who.listed_ = false;
    who.space_available();
  }
}

bool credit_account::listen(space_listener& who, std::int64_t needed) noexcept {
  const std::lock_guard lock(mutex_);
  if (!who.listed_) {
    who.next_ = first_;
    who.listed_ = true;
    first_ = &who;
  }
  waiting_.store(true, std::memory_order_seq_cst);
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
  if (first_ == nullptr) waiting_.store(false, std::memory_order_seq_cst);
}

}  // namespace amphibus::queue
