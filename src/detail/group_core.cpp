#include "detail/group_core.hpp"

#include <algorithm>
#include <utility>

#include <amphibus/base/barrier.hpp>
#include <amphibus/detail/bus_core.hpp>

namespace amphibus::detail {
namespace {

bool comes_later(const key_lane* one, const key_lane* other) noexcept { return one->oldest() > other->oldest(); }

}  // namespace

void group_share::push_ready(key_lane& which) noexcept {
  which.now = key_lane::state::ready;
  ready.push_back(&which);
  std::push_heap(ready.begin(), ready.end(), comes_later);
}

key_lane* group_share::pop_ready() noexcept {
  if (ready.empty()) return nullptr;
  std::pop_heap(ready.begin(), ready.end(), comes_later);
  key_lane* const oldest = ready.back();
  ready.pop_back();
  return oldest;
}

void group_share::remove_ready(const key_lane& which) noexcept {
  std::erase(ready, &which);
  std::make_heap(ready.begin(), ready.end(), comes_later);
}

group_core::group_core(group_terms terms) : executor_core(terms.name), terms_(std::move(terms)) {}

group_core::~group_core() = default;

void group_core::adopt(slot_mailbox& inbox) {
  inbox_ = &inbox;
  reader_.emplace(inbox.wants().topic, inbox.slot_size());
  nodes_.emplace(inbox.slot_size());
  inbox.bounds().finish_from_many_threads();
  const std::size_t count = std::max(lanes_min, lanes_per_hand * terms_.concurrency);
  for (std::size_t i = 0; i != count; ++i) lanes_.push_back(std::make_unique<key_lane>(inbox));
}

// Members ----------------------------------------------------------------------------------------------------------

void group_core::add(const std::shared_ptr<group_member>& who) {
  const std::lock_guard lock(mutex_);
  members_.push_back(who);
  for (const auto& each : who->share_->hands) each->counts_ = each->rests_ = true;
  hands_ += who->share_->hands.size();
  resting_ += who->share_->hands.size();
  balance_locked();
  wake_locked(*who->share_, who->share_->hands.size());
}

bool group_core::remove(group_member& who) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const auto& each) { return each.get() == &who; });
  if (found == members_.end()) return false;
  const std::shared_ptr<group_share> leaving = who.share_;
  members_.erase(found);
  closed_ = members_.empty();
  for (const auto& each : leaving->hands) {
    each->counts_ = false;
    --hands_;
    if (each->rests_) --resting_;
    take_back_locked(*each);
  }
  if (closed_) {
    // What lanes hold back was accepted: one hand goes on until it is placed, though it handles nothing any more.
    for (const auto& each : lanes_) move_locked(*each, orphans_);
    caretaker_ = leaving->hands.front();
    wake_one_locked(*leaving->hands.front());
  } else {
    for (const auto& each : lanes_) {
      if (each->home == leaving.get()) move_locked(*each, *members_.front()->share_);
    }
    balance_locked();
    // A message may have woken a hand of this member that will not look any more.
    for (const auto& each : members_) wake_locked(*each->share_, 1);
    wake_any_locked(free_.size);
  }
  leaving->hands.clear();
  return closed_;
}

void group_core::end_members() {
  std::vector<std::shared_ptr<group_member>> ending;
  {
    const std::lock_guard lock(mutex_);
    ending = members_;
  }
  for (const auto& each : ending) each->end();
}

void group_core::move_locked(key_lane& which, group_share& to) noexcept {
  group_share* const from = which.home;
  if (from == &to) return;
  if (from != nullptr) {
    --from->lanes;
    if (which.now == key_lane::state::stalled) --from->stalled;
    if (which.now == key_lane::state::ready) from->remove_ready(which);
  }
  which.home = &to;
  ++to.lanes;
  if (which.now == key_lane::state::stalled) ++to.stalled;
  if (which.now == key_lane::state::ready) {
    to.push_ready(which);
    wake_locked(to, 1);
  }
}

void group_core::balance_locked() noexcept {
  for (const auto& each : lanes_) {
    const auto fewer = [](const auto& a, const auto& b) { return a->share_->lanes < b->share_->lanes; };
    group_share& to = *(*std::min_element(members_.begin(), members_.end(), fewer))->share_;
    if (each->home == nullptr || each->home->lanes > to.lanes + 1) move_locked(*each, to);
  }
}

void group_core::discard() noexcept {
  slot_list dying;
  std::vector<std::vector<source::entry>> letting_go;  // what lanes published to may in turn publish to us
  {
    const std::lock_guard lock(mutex_);
    const auto take_all = [&](slot_list& from) {
      while (!from.empty()) dying.push_back(from.pop_front());
    };
    take_all(free_);
    for (const auto& each : lanes_) {
      take_all(each->waiting);
      // Only its state may be asked of a lane that runs.
      const bool is_ready = each->now == key_lane::state::ready;
      if (is_ready && !each->turn.stalled() && each->held_back.messages == 0) {
        orphans_.remove_ready(*each);
        each->now = key_lane::state::empty;
      }
      if (each->now == key_lane::state::empty) letting_go.push_back(each->turn.take_outlets());
    }
  }
  queue::load left;
  for (const slot_list::node* each = dying.first; each != nullptr; each = each->next) {
    left.add(inbox_->bounds().places_for(reader_->weighed_bytes(each->slot)));
    reader_->drop(each->slot);  // outside the lock: a destructor may do anything
  }
  inbox_->count_left(left.messages);
  inbox_->bounds().finish(left);
  {
    const std::lock_guard lock(mutex_);
    while (!dying.empty()) nodes_->give_back(dying.pop_front());
  }
  inbox_->core().work_ended();
}

// Waking and resting -----------------------------------------------------------------------------------------------

group_share& group_core::share_of(const group_hand& who) const noexcept { return closed_ ? orphans_ : *who.share_; }

void group_core::wake_one_locked(group_hand& who) noexcept {
  if (!who.rests_) return;
  const bool stalled = who.rests_stalled_;
  get_up_locked(who);
  who.announce();
  if (stalled) who.executor().poke();
}

void group_core::wake_any_locked(std::size_t count) noexcept {
  if (count == 0 || resting_ == 0) return;
  // A hand whose own lane is stalled can only sort.
  if (wake_able_locked(count, false) == 0) wake_able_locked(count, true);
}

std::size_t group_core::wake_able_locked(std::size_t count, bool stalled) noexcept {
  const executor_core* asked[executors_max] = {};
  std::size_t asked_count = 0;
  std::size_t woken = 0;
  for (const auto& member : members_) {
    for (const auto& each : member->share_->hands) {
      if (!each->rests_ || each->own_lane().stalled() != stalled) continue;
      const executor_core* const by = &each->executor();
      const bool known = std::find(asked, asked + asked_count, by) != asked + asked_count;
      if (woken >= count && known) continue;
      if (!known && asked_count != executors_max) asked[asked_count++] = by;
      wake_one_locked(*each);
      ++woken;
      if (woken >= count && each->has_own_thread()) return woken;
    }
  }
  return woken;
}

void group_core::wake_locked(const group_share& of, std::size_t count) noexcept {
  for (const auto& each : of.hands) {
    if (count == 0) return;
    if (!each->rests_) continue;
    wake_one_locked(*each);
    --count;
  }
}

void group_core::ready(std::shared_ptr<mailbox_base>) {
  const std::lock_guard lock(mutex_);
  wake_any_locked(1);
}

void group_core::poke() noexcept {
  const std::lock_guard lock(mutex_);
  ++pokes_;
  const auto wake_stalled = [this](const group_share& of) {
    bool woken = false;
    for (const auto& each : of.hands) {
      if (!each->rests_stalled_) continue;
      wake_one_locked(*each);
      woken = true;
    }
    if (!woken && of.stalled != 0) wake_locked(of, 1);
  };
  for (const auto& each : members_) wake_stalled(*each->share_);
  if (const auto last = caretaker_.lock()) wake_one_locked(*last);
}

void group_core::get_up_locked(group_hand& who) noexcept {
  if (std::exchange(who.rests_, false) && who.counts_) --resting_;
  who.rests_stalled_ = false;
}

bool group_core::begin_turn(group_hand& who) noexcept {
  const std::lock_guard lock(mutex_);
  get_up_locked(who);
  if (!who.counts_ && !closed_) return false;
  who.seen_pokes_ = pokes_;
  group_share& share = share_of(who);
  if (share.stalled == 0) return true;
  for (const auto& each : lanes_) {
    if (each->home != &share || each->now != key_lane::state::stalled) continue;
    --share.stalled;
    share.push_ready(*each);
  }
  return true;
}

bool group_core::has_work_locked(group_hand& who) const noexcept {
  if (who.seen_pokes_ != pokes_) return true;
  if (!share_of(who).ready.empty()) return true;
  return who.counts_ && !who.own_lane().stalled() && (!free_.empty() || find_to_steal_locked(who) != nullptr);
}

bool group_core::rest(group_hand& who, bool stalled) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (has_work_locked(who)) return false;
    // Somebody has to watch over what is stalled: as `stalled`, so that its deadline is kept.
    if (!stalled && needs_watching_locked(who)) return false;
    if (!who.rests_) {
      who.rests_ = true;
      if (who.counts_) ++resting_;
    }
    who.rests_stalled_ = stalled;
    if (!who.counts_) return true;
  }
  // Its executor may have others to run first: who is woken for what is found is not this hand alone.
  if (!look_behind()) return true;
  const std::lock_guard lock(mutex_);
  get_up_locked(who);
  return false;
}

bool group_core::needs_watching_locked(group_hand& who) const noexcept {
  if (who.own_lane().stalled()) return true;
  const group_share& share = share_of(who);
  if (share.stalled == 0 || (closed_ && caretaker_.lock().get() != &who)) return false;
  return std::none_of(share.hands.begin(), share.hands.end(), [](const auto& each) { return each->rests_stalled_; });
}

bool group_core::look_behind() noexcept {
  inbox_->bounds().deactivate();
  base::heavy_barrier();
  bool found = false;
  while (sort(nullptr)) found = true;
  return found;
}

bool group_core::holds_back(const group_hand& who) const noexcept {
  const std::lock_guard lock(mutex_);
  if (!closed_ || caretaker_.lock().get() != &who) return false;
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& each) { return each->turn.stalled(); });
}

bool group_core::has_stalled(group_hand& who) const noexcept {
  const std::lock_guard lock(mutex_);
  return share_of(who).stalled != 0 && (!closed_ || caretaker_.lock().get() == &who);
}

base::time_point group_core::stall_deadline(const group_hand& who) const noexcept {
  auto earliest = base::time_point::max();
  const std::lock_guard lock(mutex_);
  const group_share& share = share_of(who);
  for (const auto& each : lanes_) {
    if (each->home == &share && each->now == key_lane::state::stalled) earliest = std::min(earliest, each->deadline);
  }
  return earliest;
}

}  // namespace amphibus::detail
