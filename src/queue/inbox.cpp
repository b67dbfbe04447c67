#include <amphibus/queue/inbox.hpp>

#include <algorithm>
#include <utility>

namespace amphibus::queue {
namespace {

/// Of how many sources losses wait to be told; of more, with the next message of any of them.
constexpr std::size_t lost_sources_max = 256;

}  // namespace

inbox_base::inbox_base(std::int64_t capacity, overflow_rule overflow, std::int64_t bytes_per_place)
    : bound(overflow.kind == overflow_kind::latest ? 0 : capacity),
      overflow_(overflow),
      bytes_per_place_(bytes_per_place) {}

inbox_base::~inbox_base() = default;

void sender_state::add_loss(const source_id& of, std::uint64_t count) {
  lost_since_push += count;
  if (!many_sources) return;
  const auto is = [](const source_id& which) {
    return [which](const source_loss& each) { return each.source == which; };
  };
  auto found = std::find_if(lost_by_source_.begin(), lost_by_source_.end(), is(of));
  if (found == lost_by_source_.end() && lost_by_source_.size() >= lost_sources_max) {
    found = std::find_if(lost_by_source_.begin(), lost_by_source_.end(), is(source_id{}));
    if (found == lost_by_source_.end()) return lost_by_source_.push_back({source_id{}, count});
  }
  if (found == lost_by_source_.end()) return lost_by_source_.push_back({of, count});
  found->count += count;
}

std::uint64_t sender_state::take_loss(const source_id& of) noexcept {
  if (!many_sources) return std::exchange(lost_since_push, 0);
  std::uint64_t taken = 0;
  std::erase_if(lost_by_source_, [&](const source_loss& each) {
    if (each.source != of && each.source != source_id{}) return false;
    taken += each.count;
    return true;
  });
  lost_since_push -= taken;
  return taken;
}

std::int64_t inbox_base::chunk() const noexcept {
  // Idle producers hoard chunks: with capacity / (8 * producers) all of them together stay below a fraction of
  // capacity.
  const std::int64_t count = std::max<std::int64_t>(1, sender_count_.load(std::memory_order_relaxed));
  return std::clamp<std::int64_t>(credit().capacity() / (8 * count), 1, 4096);
}

bool inbox_base::refill(sender_state& who, std::int64_t needed) noexcept {
  // Where it cannot suffice nothing is taken: two large messages would wait for what the other one holds.
  const std::int64_t missing = needed - who.credit;
  if (credit().available() < missing) return false;
  who.credit += credit().take(std::max(chunk(), missing));
  return who.credit >= needed;
}

bool inbox_base::reclaim_idle_credit() {
  const std::lock_guard lock(senders_mutex_);
  const auto in_flight = static_cast<std::int64_t>(pushed_locked() - finished());
  if (in_flight + credit().available() >= credit().capacity()) return false;
  std::int64_t found = 0;
  if (!producers_) return false;
  for (sender_state* other : producers_->senders) {
    other->owner->exclude();
    found += other->take_credit();
    other->owner->admit();
  }
  if (found > 0) credit().give_back(found);
  return found > 0;
}

void inbox_base::join(sender_state& who) {
  const std::lock_guard lock(senders_mutex_);
  known_producers().senders.push_back(&who);
  sender_count_.fetch_add(1, std::memory_order_relaxed);
}

void inbox_base::part(sender_state& who) {
  const std::lock_guard lock(senders_mutex_);
  std::erase(known_producers().senders, &who);
  sender_count_.fetch_sub(1, std::memory_order_relaxed);
  pushed_by_parted_ += who.pushed_so_far();
  who.charge_written();
  if (who.credit > 0) credit().give_back(std::exchange(who.credit, 0));
}

void inbox_base::deactivate() noexcept {
  active_.store(false, std::memory_order_relaxed);
  const std::lock_guard lock(senders_mutex_);
  if (!producers_) return;
  for (multicast_base* each : producers_->multicasts) each->note_sleeper();
}

void inbox_base::count_unqueued(std::int64_t places) noexcept {
  const std::lock_guard lock(senders_mutex_);
  ++pushed_by_parted_;
  if (refuses_when_full(overflow_.kind) || overflow_.kind == overflow_kind::drop_newest) credit().charge(places);
}

std::uint64_t inbox_base::pushed() const {
  const std::lock_guard lock(senders_mutex_);
  return pushed_locked();
}

std::uint64_t inbox_base::pushed_locked() const noexcept {
  std::uint64_t sum = pushed_by_parted_;
  if (!producers_) return sum;
  for (const sender_state* who : producers_->senders) sum += who->pushed_so_far();
  return sum;
}

}  // namespace amphibus::queue
