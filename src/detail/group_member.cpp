#include <algorithm>
#include <cstring>
#include <utility>

#include <amphibus/base/barrier.hpp>
#include <amphibus/detail/bus_core.hpp>

#include "detail/group_core.hpp"

namespace amphibus::detail {

group_hand::group_hand(std::shared_ptr<bus_core> core, std::shared_ptr<executor_core> on, const std::string& name,
                       std::shared_ptr<slot_mailbox> inbox, std::shared_ptr<group_share> share,
                       std::shared_ptr<message_handler> handler, bool own_thread)
    : mailbox_base(std::move(core), inbox->wants(), std::move(on), name),
      inbox_base(1, {queue::overflow_kind::drop_newest, {}}),
      inbox_(std::move(inbox)),
      group_(group_core::of(*inbox_)),
      share_(std::move(share)),
      takes_batches_(handler->takes_batches()),
      own_thread_(own_thread),
      handler_(std::move(handler)),
      buffer_(group_.reader().size()) {}

group_hand::~group_hand() = default;

std::size_t group_hand::run() noexcept {
  std::size_t handled = 0;
  {
    const std::lock_guard lock(run_mutex_);
    static_cast<void>(settle_own());
    handled = group_.run(*this);
    report_dropped(false);
  }
  finish_end_once();
  return handled;
}

void group_hand::finish_end_once() noexcept {
  if (ended() && !end_begun_.exchange(true, std::memory_order_relaxed)) finish_own_end();
}

bool group_hand::has_work() noexcept {
  {
    const std::unique_lock lock(run_mutex_, std::try_to_lock);
    if (!lock) return true;  // it was woken meanwhile, and another thread of its pool runs it
    // Somebody else placed what its own lane held back: its messages are to be finished.
    if (held_back_.messages != 0 && !own_lane().stalled()) return true;
  }
  return !group_.rest(*this, false);
}

bool group_hand::holds_back() noexcept { return own_lane().stalled() || group_.holds_back(*this); }

bool group_hand::stalled() noexcept {
  if (!own_lane().stalled() && !group_.has_stalled(*this)) return false;
  return group_.rest(*this, true);
}

base::time_point group_hand::stall_deadline() const {
  return std::min(mailbox_base::stall_deadline(), group_.stall_deadline(*this));
}

bool group_hand::settle_own() {
  if (own_lane().stalled() && !own_lane().settle()) return false;
  inbox_->bounds().finish(std::exchange(held_back_, {}));
  return true;
}

void group_hand::end_behind() noexcept {
  refuse_more();
  if (on_this_stack()) return;
  // Either whoever runs it sees the end after it has let go of the lock, or we find that nobody runs it.
  base::heavy_barrier();
  if (!run_mutex_.try_lock()) return;
  run_mutex_.unlock();
  finish_end_once();
}

std::size_t group_hand::keep_fresh(claim_buffer::claimed of, queue::load& finished) noexcept {
  const slot_reader& read = group_.reader();
  std::size_t fresh = 0;
  for (std::size_t i = 0; i != of.count; ++i) {
    std::byte* const slot = of.slots + i * read.size();
    if (read.identity_of(slot).is_packed() || !has_expired(read.identity_of(slot))) {
      if (fresh != i) std::memcpy(of.slots + fresh * read.size(), slot, read.size());
      ++fresh;
      continue;
    }
    finished.add(inbox_->bounds().places_for(read.weighed_bytes(slot)));
    read.drop(slot);
    count_expired(1);
  }
  return fresh;
}

void group_hand::destroy_handler() noexcept {
  std::shared_ptr<message_handler> dying;
  const std::lock_guard lock(run_mutex_);
  dying = std::move(handler_);
}

void group_hand::discard_queue() noexcept { group_.give_back(*this); }

group_member::group_member(std::shared_ptr<bus_core> core, interest to, std::string name,
                           std::shared_ptr<slot_mailbox> inbox)
    : subscriber_base(std::move(core), std::move(to), std::move(name)),
      inbox_(std::move(inbox)),
      group_(group_core::of(*inbox_)) {}

group_member::~group_member() = default;

void group_member::add_hand(std::shared_ptr<executor_core> on, const std::shared_ptr<message_handler>& handler,
                            bool own_thread, std::size_t priority) {
  hands_.push_back(std::make_shared<group_hand>(core().shared_from_this(), std::move(on), name(), inbox_, share_,
                                                handler, own_thread));
  hands_.back()->set_priority(priority);
  share_->hands.push_back(hands_.back());
}

bool group_member::handles_here() const noexcept {
  return std::any_of(hands_.begin(), hands_.end(), [](const auto& each) { return each->on_this_stack(); });
}

void group_member::end() {
  const bool last = !ended_.exchange(true, std::memory_order_seq_cst) && core().leave_group(*this);
  const bool inside = handles_here();
  for (const auto& each : hands_) each->refuse_more();
  for (const auto& each : hands_) inside ? each->end_behind() : each->end();
  if (last) inbox_->end();
  if (last) group_.discard();
}

subscription_counters group_member::counters() noexcept {
  subscription_counters out = inbox_->counters();
  out.handled = out.failed = out.expired = 0;
  for (const auto& each : hands_) {
    out.handled += each->handled();
    out.failed += each->failures();
    out.expired += each->expiries();
  }
  return out;
}

}  // namespace amphibus::detail
