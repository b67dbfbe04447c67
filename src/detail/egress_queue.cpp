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
    readers_.take_new([](const leaving_reader&) { return true; });
  }
  for (const auto& each : readers_.current()) {
    while (const leaving_reader::run run = each->next(batch_max)) {
      for (std::size_t i = 0; i != run.count; ++i) run.identity(i).drop_reference();
      each->advance(run.count);
    }
  }
}

void egress_queue::add_leaving(std::unique_ptr<leaving_reader> who) {
  const std::lock_guard lock(senders_mutex_);
  add_multicast(who->source(), [&] { readers_.add(std::move(who)); });
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
  readers_.take_new([this](leaving_reader& of) {
    return std::none_of(readers_.current().begin(), readers_.current().end(),
                        [&](const auto& each) { return &each->source() == &of.source(); });
  });
}

std::size_t egress_queue::drain_readers(std::size_t max, transport::egress_sink& to) {
  if (readers_.has_new()) take_new_readers();
  std::size_t count = 0;
  const bool some_over = readers_.for_each([&](leaving_reader& each) {
    while (const leaving_reader::run run = each.next(max - count)) {
      hand_out(each.topic, run, to);
      each.advance(run.count);
      drained_ += run.count;
      count += run.count;
    }
    return count != max;
  });
  if (some_over) {
    const std::lock_guard lock(senders_mutex_);
    readers_.drop_over(known_producers().multicasts);
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
    std::size_t some = run.in_sequence() ? run.count - i : 1;
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
                  "route full (16384 messages, 64 MiB, or the memory of the bus): use overflow = \"block\" on the "
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
