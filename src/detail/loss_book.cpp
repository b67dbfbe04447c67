// How losses reach the next message: envelopes that say so, and what waits to be said.
#include <algorithm>
#include <cstring>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/envelope_pool.hpp>
#include <amphibus/detail/loss_book.hpp>

#include "detail/eviction_list.hpp"
#include "detail/message_key.hpp"
#include "queue/keyed_store.hpp"

namespace amphibus::detail {

void envelope_block::fill(const wire::envelope& with, base::time_point until) {
  value = with;
  deadline = until;
  large = nullptr;
  const auto attributes = with.attributes.bytes();
  if (attributes.empty()) return;
  if (attributes.size() > sizeof small) large = new std::byte[attributes.size()];
  std::byte* const to = large != nullptr ? large : small;
  std::memcpy(to, attributes.data(), attributes.size());
  value.attributes = wire::attributes_view({to, attributes.size()});
}

envelope_pool::~envelope_pool() {
  if (blocks_ != nullptr) blocks_->retire();
}

identity_word envelope_pool::make(const wire::envelope& with, base::time_point deadline) {
  if (blocks_ == nullptr) blocks_ = queue::block_pool::make(sizeof(envelope_block), alignof(envelope_block));
  auto* block = static_cast<envelope_block*>(blocks_->take());
  block->fill(with, deadline);
  return identity_word::pooled(block);
}

identity_word envelope_pool::with_loss(identity_word message, wire::envelope with, std::uint64_t lost) {
  with.lost_before += lost;
  const identity_word told = make(with, message.deadline());
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

namespace {

class kept_losses final : public loss_book {
 public:
  kept_losses(const bus_core& bus, std::size_t slot_size, std::size_t keys) : bus_(bus) {
    if (keys != 0) latest_ = std::make_unique<queue::keyed_store>(slot_size, keys);
  }

  [[nodiscard]] bool keeps_latest() const noexcept override { return latest_ != nullptr; }

  put_result put(const topic_core* topic, identity_word identity, const void* message, const void* slot,
                 void* old_slot) override {
    key_room room;
    switch (latest_->put(topic, key_of(*topic, identity, message, room), slot, old_slot)) {
      case queue::keyed_store::put_result::added: return put_result::added;
      case queue::keyed_store::put_result::replaced: return put_result::replaced;
      case queue::keyed_store::put_result::full: break;
    }
    return put_result::full;
  }
  std::size_t take(void* values, std::uint64_t* replaced, std::size_t max) override {
    return latest_->take(values, replaced, max);
  }

  void add_thrown_out(const topic_core* topic, identity_word last, std::uint64_t count) override {
    const std::uint64_t told = last.is_packed() ? 0 : last.block()->value.lost_before;
    evictions_.add(topic, bus_.id_of(last), count + told);
  }
  void add_replaced(const topic_core* topic, identity_word message) override {
    const wire::envelope with = bus_.envelope_of(message);
    if (with.lost_before != 0) evictions_.add(topic, with.id, with.lost_before);
  }
  [[nodiscard]] bool any() const noexcept override { return evictions_.any(); }
  [[nodiscard]] identity_word told(identity_word message, const topic_core* topic, std::uint64_t lost) override {
    const wire::envelope with = bus_.envelope_of(message);
    lost += any() ? evictions_.take(topic, with.id) : 0;
    return lost == 0 ? message : envelopes_.with_loss(message, with, lost);
  }

 private:
  const bus_core& bus_;
  eviction_list evictions_;
  envelope_pool envelopes_;
  std::unique_ptr<queue::keyed_store> latest_;
};

}  // namespace

loss_book::~loss_book() = default;

std::shared_ptr<loss_book> loss_book::make(const bus_core& bus, std::size_t slot_size, std::size_t keys) {
  return std::make_shared<kept_losses>(bus, slot_size, keys);
}

}  // namespace amphibus::detail
