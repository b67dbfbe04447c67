// How losses reach the next message: envelopes that say so, and what waits to be said.
#include <algorithm>

#include <amphibus/detail/envelope_pool.hpp>
#include <amphibus/detail/eviction_list.hpp>

namespace amphibus::detail {

envelope_pool::~envelope_pool() {
  if (blocks_ != nullptr) blocks_->retire();
}

identity_word envelope_pool::make(const wire::envelope& with) {
  if (blocks_ == nullptr) blocks_ = queue::block_pool::make(sizeof(envelope_block), alignof(envelope_block));
  auto* block = static_cast<envelope_block*>(blocks_->take());
  block->fill(with);
  return identity_word::pooled(block);
}

identity_word envelope_pool::with_loss(identity_word message, wire::envelope with, std::uint64_t lost) {
  with.lost_before += lost;
  const identity_word told = make(with);
  message.drop_reference();
  return told;
}

void eviction_list::add(const topic_core* topic, const message_id& message, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const entry& each) {
    return each.topic == topic && each.source == message.source;
  });
  if (found == entries_.end()) {
    entries_.push_back({topic, message.source, message.sequence, count});
  } else {
    found->last = message.sequence;
    found->count += count;
  }
  any_.store(true, std::memory_order_release);
}

std::uint64_t eviction_list::take(const topic_core* topic, const message_id& message) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const entry& each) {
    return each.topic == topic && each.source == message.source && each.last < message.sequence;
  });
  if (found == entries_.end()) return 0;
  const std::uint64_t count = found->count;
  entries_.erase(found);
  any_.store(!entries_.empty(), std::memory_order_release);
  return count;
}

}  // namespace amphibus::detail
