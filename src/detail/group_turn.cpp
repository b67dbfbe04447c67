// How the hands of a group find work and do it: sorting, lanes, what has no key.
#include <algorithm>
#include <functional>
#include <utility>

#include <amphibus/detail/bus_core.hpp>

#include "detail/group_core.hpp"
#include "detail/message_key.hpp"

namespace amphibus::detail {
namespace {

constexpr std::size_t sort_max = 512;

/// Spreads what differs in a few bits only, as small numbers do, over all bits (MurmurHash3's finaliser).
std::uint64_t spread(std::uint64_t bits) noexcept {
  bits ^= bits >> 33U;
  bits *= 0xff51afd7ed558ccdULL;
  bits ^= bits >> 33U;
  bits *= 0xc4ceb9fe1a85ec53ULL;
  return bits ^ (bits >> 33U);
}

}  // namespace

std::uint32_t group_core::find_lane(const std::byte* slot) const noexcept {
  key_room room;
  const topic_core& topic = *reader_->topic_of(slot);
  const std::string_view key = key_of(topic, reader_->identity_of(slot), reader_->value_of(slot), room);
  if (key.empty() && topic.key() == nullptr) return no_key;  // a key of the topic may be an empty text
  return static_cast<std::uint32_t>(spread(std::hash<std::string_view>{}(key)) % lanes_.size());
}

bool group_core::sort(group_hand* taker) noexcept {
  alignas(std::uint64_t) std::byte slots[sort_max * slot_size_max];
  std::uint32_t lane_of[sort_max];
  const std::lock_guard consuming(inbox_->consumer_lock());
  const std::size_t count = inbox_->take_slots(slots, sort_max);
  inbox_->tell_dropped();
  if (count == 0) {
    inbox_->bounds().credit().notify_if_waiting();
    return false;
  }
  for (std::size_t i = 0; i != count; ++i) lane_of[i] = find_lane(slots + i * reader_->size());
  const std::lock_guard lock(mutex_);
  sort_in_locked(taker, slots, lane_of, count);
  return true;
}

void group_core::sort_in_locked(group_hand* taker, const std::byte* slots, const std::uint32_t* lane_of,
                                std::size_t count) noexcept {
  bool one_is_taken = taker != nullptr;
  for (std::size_t i = 0; i != count; ++i) {
    slot_list::node* const node = nodes_->make(slots + i * reader_->size(), ++arrivals_);
    if (lane_of[i] == no_key) {
      free_.push_back(node);
      continue;
    }
    key_lane& lane = *lanes_[lane_of[i]];
    lane.waiting.push_back(node);
    if (lane.now != key_lane::state::empty) continue;
    lane.home->push_ready(lane);
    if (one_is_taken && lane.home == taker->share_.get()) {
      one_is_taken = false;
      continue;
    }
    wake_locked(*lane.home, 1);
  }
  const bool takes_free = one_is_taken && taker->counts_ && !taker->own_lane().stalled();
  wake_any_locked(free_.size - (!free_.empty() && takes_free ? 1 : 0));
}

bool group_core::next(group_hand& by, turn& of) noexcept {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = of.lane != nullptr && closed_;
    put_back_locked(by, of);
    pick_locked(by, of);
  }
  if (closed) discard();
  return of.lane != nullptr || of.free;
}

void group_core::pick_locked(group_hand& by, turn& of) noexcept {
  if (!by.counts_ && !closed_) return;
  const bool takes_free = by.counts_ && !by.own_lane().stalled();
  by.free_next_ = !by.free_next_;
  of.others_rest = resting_ != 0;
  if (takes_free && by.free_next_ && refill_locked(by)) {
    of.free = true;
  } else if (of.lane = share_of(by).pop_ready(); of.lane != nullptr) {
    of.lane->now = key_lane::state::running;
    if (!of.lane->turn.stalled() && of.lane->held_back.messages == 0) take_locked(by, of);
  } else {
    of.free = takes_free && (refill_locked(by) || steal_locked(by));
  }
  // Pass it on: this hand may be long in a handler.
  if (!share_of(by).ready.empty()) wake_locked(share_of(by), 1);
  if (!free_.empty()) wake_any_locked(1);
}

void group_core::take_locked(const group_hand& by, turn& of) noexcept {
  if (by.ended()) return;
  slot_list& waiting = of.lane->waiting;
  of.arrival = of.lane->oldest();
  for (; of.taken != lane_turn_max && !waiting.empty(); ++of.taken)
    nodes_->take(waiting.pop_front(), of.slots + of.taken * reader_->size());
}

bool group_core::refill_locked(group_hand& by) noexcept {
  if (by.buffer_.left() != 0) return true;
  if (free_.empty()) return false;
  // No more than its share, so that others find some without stealing.
  const std::size_t share = free_.size / std::max<std::size_t>(1, hands_);
  const std::size_t count = std::clamp<std::size_t>(share, 1, claim_buffer::capacity);
  std::byte* const to = by.buffer_.begin_fill();
  for (std::size_t i = 0; i != count; ++i) nodes_->take(free_.pop_front(), to + i * reader_->size());
  by.buffer_.fill(count);
  wake_any_locked(count - 1);  // others may take them before this hand comes to them
  return true;
}

group_hand* group_core::find_to_steal_locked(const group_hand& by) const noexcept {
  for (const auto& member : members_) {
    for (const auto& each : member->share_->hands) {
      if (each.get() != &by && each->buffer_.left() != 0) return each.get();
    }
  }
  return nullptr;
}

bool group_core::steal_locked(group_hand& by) noexcept {
  while (group_hand* const from = find_to_steal_locked(by)) {
    const std::size_t count = from->buffer_.steal(by.buffer_.begin_fill());
    by.buffer_.fill(count);
    if (count == 0) continue;  // it was faster
    wake_any_locked(count - 1);
    return true;
  }
  return false;
}

std::size_t group_core::take_back_locked(group_hand& who) noexcept {
  alignas(std::uint64_t) std::byte left[claim_buffer::capacity * slot_size_max];
  const std::size_t count = who.buffer_.empty_into(left);
  for (std::size_t i = count; i != 0; --i) free_.push_front(nodes_->make(left + (i - 1) * reader_->size(), 0));
  return count;
}

void group_core::give_back(group_hand& who) noexcept {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    wake_any_locked(take_back_locked(who));
    closed = closed_;
  }
  if (closed) discard();
}

std::size_t group_core::run(group_hand& by) noexcept {
  if (!begin_turn(by)) return 0;
  turn of;
  std::size_t handled = 0;
  while (handled < turn_max && (next(by, of) || (!by.ended() && sort(&by) && next(by, of)))) {
    // While this hand is in a handler it looks at nothing: what comes has to wake one that rests.
    if (of.others_rest && inbox_->bounds().promises()) look_behind();
    handled += of.lane != nullptr ? run_lane(by, of) : run_free(by, of);
  }
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = of.lane != nullptr && closed_;
    put_back_locked(by, of);
  }
  if (closed) discard();
  inbox_->bounds().finish(of.finished);
  return handled;
}

std::size_t group_core::run_free(group_hand& by, turn& of) noexcept {
  const std::size_t at_once = by.takes_batches_ ? claim_buffer::capacity : 1;
  return by.handle([&] { return by.buffer_.claim(at_once); }, by.own_lane(), of.finished, by.held_back_);
}

std::size_t group_core::run_lane(group_hand& by, turn& of) noexcept {
  key_lane& which = *of.lane;
  if (which.turn.stalled() || which.held_back.messages != 0) {
    if (!which.turn.settle()) {
      of.deadline = which.turn.stall_deadline();  // before the lock: outlets have their own
      return 0;
    }
    of.finished.add(std::exchange(which.held_back, {}));
    const std::lock_guard lock(mutex_);
    take_locked(by, of);
  }
  const auto next = [&]() -> claim_buffer::claimed {
    std::byte* const slots = of.slots + of.handled * reader_->size();
    const std::size_t left = of.taken - of.handled;
    const std::size_t at_once = by.takes_batches_ ? left : std::min<std::size_t>(1, left);
    of.handled += at_once;
    return {slots, at_once};
  };
  const std::size_t handled = by.handle(next, which.turn, of.finished, which.held_back);
  if (which.turn.stalled()) of.deadline = which.turn.stall_deadline();
  return handled;
}

void group_core::put_back_locked(group_hand& by, turn& of) noexcept {
  key_lane* const which = std::exchange(of.lane, nullptr);
  of.free = false;
  if (which == nullptr) return;
  for (; of.taken != of.handled; --of.taken)
    which->waiting.push_front(nodes_->make(of.slots + (of.taken - 1) * reader_->size(), of.arrival));
  of.taken = of.handled = 0;
  if (which->turn.stalled()) {
    which->now = key_lane::state::stalled;
    which->deadline = of.deadline;
    ++which->home->stalled;
    if (closed_) caretaker_ = std::static_pointer_cast<group_hand>(by.shared_mailbox());
    if (which->home != by.share_.get())
      wake_locked(*which->home, 1);  // it moved meanwhile: somebody there has to watch
  } else if (which->waiting.empty() && which->held_back.messages == 0) {
    which->now = key_lane::state::empty;
  } else {
    which->home->push_ready(*which);
    wake_locked(*which->home, 1);
  }
}

}  // namespace amphibus::detail
