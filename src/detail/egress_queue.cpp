#include "detail/egress_queue.hpp"

#include <algorithm>

#include <amphibus/base/barrier.hpp>

#include "detail/origin_table.hpp"

namespace amphibus::detail {
egress_queue::~egress_queue() {
  slot_array<any_slot, batch_max> batch;
  while (const std::size_t count = pop(batch.data(), batch_max)) {
    for (std::size_t i = 0; i != count; ++i) batch.data()[i].drop();
  }
}

std::size_t egress_queue::drain(std::size_t max, transport::egress_sink& to) {
  slot_array<any_slot, batch_max> batch;
  const std::size_t count = pop(batch.data(), std::min(max, batch_max));
  for (std::size_t i = 0; i != count; ++i) {
    const any_slot& leaving = batch.data()[i];
    if (core_.is_expired(leaving.identity)) [[unlikely]] {
      leaving.topic->count_egress_expired();
      ++expired_;
    } else if (leaving.identity.is_packed() && !origin_table::is_alias(leaving.identity.source())) {
      to.on_first_message(leaving.topic->name(), *leaving.topic->codec(),
                          {{core_.incarnation(), leaving.identity.source()}, leaving.identity.sequence()},
                          leaving.value());
    } else {
      to.on_message(leaving.topic->name(), *leaving.topic->codec(), core_.envelope_of(leaving.identity),
                    leaving.value());
    }
    if (const std::int64_t places = places_of(leaving); places != 1) heavy_.push_back({drained_, places});
    ++drained_;
    leaving.drop();
  }
  if (has_dropped_.load(std::memory_order_relaxed)) hand_out_drops(to);
  if (expired_ != 0) tell_expired();
  return count;
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
