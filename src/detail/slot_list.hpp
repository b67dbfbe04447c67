#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <amphibus/detail/message.hpp>
#include <amphibus/detail/topic_core.hpp>

namespace amphibus::detail {

/// The largest slot there is.
inline constexpr std::size_t slot_size_max = sizeof(any_slot);

/// Reads slots without knowing the type of their messages: a slot<T> is an identity and a payload, an any_slot has its
/// topic in between. Thread: const-safe.
class slot_reader {
 public:
  /// `topic`: of every slot; null where each names its own. `size`: of a slot.
  slot_reader(topic_core* topic, std::size_t size) noexcept : topic_(topic), size_(size) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] identity_word identity_of(const std::byte* slot) const noexcept {
    return *std::launder(reinterpret_cast<const identity_word*>(slot));
  }
  [[nodiscard]] topic_core* topic_of(const std::byte* slot) const noexcept {
    return topic_ != nullptr ? topic_ : std::launder(reinterpret_cast<const any_slot*>(slot))->topic;
  }
  /// The message, of the topic's type.
  [[nodiscard]] const void* value_of(const std::byte* slot) const noexcept {
    const type_operations& type = topic_of(slot)->type();
    return type.travels_inline ? payload_of(slot) : type.block_value(block_of(slot));
  }
  [[nodiscard]] std::size_t weighed_bytes(const std::byte* slot) const noexcept {
    return topic_of(slot)->type().travels_inline ? 0 : block_of(slot)->bytes;
  }
  void drop(const std::byte* slot) const noexcept {
    drop_payload(slot);
    identity_of(slot).drop_reference();
  }
  /// drop() but for the identity.
  void drop_payload(const std::byte* slot) const noexcept {
    const type_operations& type = topic_of(slot)->type();
    queue::returning_blocks only;
    if (!type.travels_inline) type.drop_block(block_of(slot), only);
  }

 private:
  [[nodiscard]] const std::byte* payload_of(const std::byte* slot) const noexcept {
    return slot + sizeof(identity_word) + (topic_ != nullptr ? 0 : sizeof(topic_core*));
  }
  [[nodiscard]] queue::block_header* block_of(const std::byte* slot) const noexcept {
    std::uintptr_t shared = 0;
    std::memcpy(&shared, payload_of(slot), sizeof shared);
    return reinterpret_cast<queue::block_header*>(shared);
  }

  topic_core* topic_;
  std::size_t size_;
};

/// Slots that wait, in order; their nodes come from a slot_nodes. Thread: confined.
struct slot_list {
  struct node {
    node* next;
    std::uint64_t arrival;  ///< when it was sorted, counted
    alignas(std::uint64_t) std::byte slot[slot_size_max];
  };
  node* first = nullptr;
  node* last = nullptr;
  std::size_t size = 0;

  [[nodiscard]] bool empty() const noexcept { return first == nullptr; }
  void push_back(node* one) noexcept {
    one->next = nullptr;
    (empty() ? first : last->next) = one;
    last = one;
    ++size;
  }
  void push_front(node* one) noexcept {
    if (empty()) last = one;
    one->next = std::exchange(first, one);
    ++size;
  }
  /// Precondition: not empty.
  [[nodiscard]] node* pop_front() noexcept {
    node* const one = first;
    first = one->next;
    --size;
    return one;
  }
};

/// Nodes for slot lists, recycled: as many as waited at once, which the capacity of the inbox bounds. Thread: confined.
class slot_nodes {
 public:
  explicit slot_nodes(std::size_t slot_size) noexcept : slot_size_(slot_size) {}

  /// A node with a copy of `slot`. Throws: std::bad_alloc.
  [[nodiscard]] slot_list::node* make(const std::byte* slot, std::uint64_t arrival) {
    if (unused_ == nullptr) grow();
    slot_list::node* const one = std::exchange(unused_, unused_->next);
    one->arrival = arrival;
    std::memcpy(one->slot, slot, slot_size_);
    return one;
  }
  void give_back(slot_list::node* one) noexcept { one->next = std::exchange(unused_, one); }
  /// Copies the slot out and takes the node back.
  void take(slot_list::node* one, std::byte* to) noexcept {
    std::memcpy(to, one->slot, slot_size_);
    give_back(one);
  }

 private:
  static constexpr std::size_t chunk_size = 256;
  void grow() {
    auto& chunk = chunks_.emplace_back(std::make_unique_for_overwrite<slot_list::node[]>(chunk_size));
    for (std::size_t i = 0; i != chunk_size; ++i) chunk[i].next = std::exchange(unused_, &chunk[i]);
  }

  const std::size_t slot_size_;
  std::vector<std::unique_ptr<slot_list::node[]>> chunks_;
  slot_list::node* unused_ = nullptr;
};

}  // namespace amphibus::detail
