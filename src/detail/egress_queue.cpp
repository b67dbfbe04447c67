#include "detail/egress_queue.hpp"

#include <algorithm>

#include <amphibus/base/barrier.hpp>

#include "detail/origin_table.hpp"

namespace amphibus::detail {
void egress_queue::discard() {
  slot_array<any_slot, batch_max> batch;
  while (const std::size_t count = pop(batch.data(), batch_max)) {
    for (std::size_t i = 0; i != count; ++i) batch.data()[i].drop();
  }
  {
    const std::lock_guard lock(senders_mutex_);
    for (auto& each : new_readers_) readers_.push_back(std::move(each));
    new_readers_.clear();
  }
  for (const auto& each : readers_) {
    while (const leaving_reader::run run = each->next(batch_max)) {
      for (std::size_t i = 0; i != run.count; ++i) run.identity(i).drop_reference();
      each->advance(run.count);
    }
  }
}

void egress_queue::add_leaving(std::unique_ptr<leaving_reader> who) {
  const std::lock_guard lock(senders_mutex_);
  multicasts_.reserve(multicasts_.size() + 1);
  queue::multicast_base& source = who->source();
  new_readers_.push_back(std::move(who));
  multicasts_.push_back(&source);
  has_new_readers_.store(true, std::memory_order_release);
}

std::size_t egress_queue::drain(std::size_t max, transport::egress_sink& to) {
  const bool queue_first = queue_has_turn();
  std::size_t count = queue_first ? drain_queue(max, to) : 0;
  count += drain_readers(max - count, to);
  if (!queue_first) count += drain_queue(max - count, to);
  if (has_dropped_.load(std::memory_order_relaxed)) hand_out_drops(to);
  if (expired_ != 0) tell_expired();
  return count;
}

std::size_t egress_queue::drain_queue(std::size_t max, transport::egress_sink& to) {
  slot_array<any_slot, batch_max> batch;
  const std::size_t count = pop_queue(batch.data(), std::min(max, batch_max));
  for (std::size_t i = 0; i != count; ++i) {
    const any_slot& leaving = batch.data()[i];
    hand_out(*leaving.topic, leaving.identity, leaving.value(), to);
    if (const std::int64_t places = places_of(leaving); places != 1) heavy_.push_back({drained_, places});
    ++drained_;
    leaving.drop();
  }
  return count;
}

void egress_queue::take_new_readers() {
  const std::lock_guard lock(senders_mutex_);
  // A publisher whom nobody wanted for a while: what it wrote before comes first.
  const auto follows_another = [this](const auto& of) {
    return std::any_of(readers_.begin(), readers_.end(),
                       [&](const auto& each) { return &each->source() == &of->source(); });
  };
  std::vector<std::unique_ptr<leaving_reader>> waiting;
  waiting.reserve(new_readers_.size());
  readers_.reserve(readers_.size() + new_readers_.size());
  for (auto& each : new_readers_) (follows_another(each) ? waiting : readers_).push_back(std::move(each));
  new_readers_ = std::move(waiting);
  has_new_readers_.store(!new_readers_.empty(), std::memory_order_relaxed);
}

std::size_t egress_queue::drain_readers(std::size_t max, transport::egress_sink& to) {
  if (has_new_readers_.load(std::memory_order_acquire)) take_new_readers();
  std::size_t count = 0;
  bool some_over = false;
  for (std::size_t i = 0; i != readers_.size() && count != max; ++i) {
    first_reader_ = first_reader_ + 1 < readers_.size() ? first_reader_ + 1 : 0;
    leaving_reader& each = *readers_[first_reader_];
    while (const leaving_reader::run run = each.next(max - count)) {
      hand_out(each.topic, run, to);
      each.advance(run.count);
      drained_ += run.count;
      count += run.count;
    }
    some_over = some_over || each.is_over();
  }
  if (some_over) {
    const std::lock_guard lock(senders_mutex_);
    std::erase_if(readers_, [this](const auto& each) {
      if (!each->is_over()) return false;
      multicasts_.erase(std::find(multicasts_.begin(), multicasts_.end(), &each->source()));
      return true;
    });
  }
  return count;
}

void egress_queue::hand_out(topic_core& topic, const leaving_reader::run& run, transport::egress_sink& to) {
  for (std::size_t i = 0; i != run.count;) {
    const identity_word first = run.identity(i);
    if (!first.is_packed() || origin_table::is_alias(first.source())) {
      hand_out(topic, first, run.values(i, 1)[0], to);
      first.drop_reference();
      ++i;
      continue;
    }
    std::size_t some = 1;
    while (i + some != run.count && run.identity(i + some) == first.packed_after(some)) ++some;
    to.on_run(topic.name(), *topic.codec(), {{core_.incarnation(), first.source()}, first.sequence()},
              run.values(i, some));
    i += some;
  }
}

void egress_queue::hand_out(topic_core& topic, identity_word identity, const void* value, transport::egress_sink& to) {
  if (core_.is_expired(identity)) [[unlikely]] {
    topic.count_egress_expired();
    ++expired_;
  } else {
    to.on_message(topic.name(), *topic.codec(), core_.envelope_of(identity), value);
  }
}

void egress_queue::tell_expired() {
  const auto now = core_.clock().now();
  if (now < next_expiry_report_) return;
  next_expiry_report_ = base::deadline_after(now, std::chrono::seconds(1));
  core_.report({event_kind::expired, "", name_, "", std::exchange(expired_, 0),
                "their deadline had passed before the route could send them"});
}

void egress_queue::hand_out_drops(transport::egress_sink& to) {
  has_dropped_.store(false, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  std::vector<topic_core*> topics;
  {
    const std::lock_guard lock(mutex_);
    topics = topics_;
  }
  for (topic_core* topic : topics) {
    const std::uint64_t count = topic->take_egress_dropped();
    if (count == 0) continue;
    to.on_dropped(topic->name(), count);
    core_.report({event_kind::dropped, topic->name(), name_, "", count,
                  "route full (8192 messages, 64 MiB, or the memory of the bus): use overflow = \"block\" on the "
                  "route, or publish slower"});
  }
}

void egress_queue::finished(std::size_t count) {
  done_ += count;
  auto done = queue::load::of_small(count);
  while (!heavy_.empty() && heavy_.front().position < done_) {
    done.places += heavy_.front().places - 1;
    heavy_.pop_front();
  }
  finish(done);
}

bool egress_queue::prepare_to_sleep() {
  deactivate();
  base::heavy_barrier();
  // What the I/O thread holds back itself, because a peer takes nothing, is no reason to stay awake.
  if (pushed() - inbox_base::finished() > drained_ - done_ && reactivate()) return false;
  rest();
  core_.work_ended();
  return true;
}

void egress_queue::set_waker(transport::waker* waker) noexcept {
  const std::lock_guard lock(mutex_);
  waker_ = waker;
}

void egress_queue::add_topic(topic_core& topic) {
  const std::lock_guard lock(mutex_);
  topics_.push_back(&topic);
}

void egress_queue::activated() noexcept {
  const std::lock_guard lock(mutex_);
  if (waker_ != nullptr) waker_->wake();
}

}  // namespace amphibus::detail
