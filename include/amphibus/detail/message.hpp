#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <amphibus/base/words.hpp>
#include <amphibus/owned_bytes.hpp>
#include <amphibus/queue/pool.hpp>
#include <amphibus/wire/envelope.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// A pooled envelope, shared by all receivers of a message.
struct envelope_block : queue::block_header {
  wire::envelope value;                                 ///< its time_left has no meaning here
  base::time_point deadline = base::time_point::max();  ///< by the bus's clock; not started from then on
  std::byte* large = nullptr;                           ///< attributes that do not fit into `small`
  std::byte small[64];

  /// Takes over `with` and copies its attributes.
  void fill(const wire::envelope& with, base::time_point until);
  void empty() noexcept { delete[] large; }
};

struct inline_call_entry;

/// One word that says which message this is: either a packed identity (nothing allocated) or a pooled envelope.
///
/// Packed: bit 0 set, 24 bits source index, 39 bits sequence; it stands for a first message, whose correlation is
/// itself. Not packed: pointer to an envelope_block with one reference owned by the slot that holds the word. Only on
/// the frame of an inline call it may also be of_call(), which follows the calls without being written: it has neither
/// a number nor a block until it is settled().
class identity_word {
 public:
  static constexpr std::uint64_t source_max = (std::uint64_t{1} << 24U) - 1;
  static constexpr std::uint64_t sequence_max = (std::uint64_t{1} << 39U) - 1;
  /// The highest indices stand for sources of other processes (origin_table).
  static constexpr std::uint64_t alias_count_max = 65'536;
  static constexpr std::uint64_t local_source_max = source_max - alias_count_max;

  static constexpr bool fits_local(std::uint64_t source, std::uint64_t sequence) noexcept {
    return source <= local_source_max && sequence <= sequence_max;
  }
  [[gnu::always_inline]] static constexpr identity_word packed(std::uint64_t source, std::uint64_t sequence) noexcept {
    return identity_word((sequence << 25U) | (source << 1U) | 1U);
  }
  static identity_word pooled(envelope_block* block) noexcept {
    return identity_word(reinterpret_cast<std::uintptr_t>(block));
  }
  /// That of the message with which `which` calls at the moment.
  static identity_word of_call(const inline_call_entry& which) noexcept {
    return identity_word(reinterpret_cast<std::uintptr_t>(&which) | 2U);
  }
  identity_word() = default;

  [[nodiscard]] bool is_of_call() const noexcept { return (bits_ & 7U) == 2; }
  /// Precondition: is_of_call().
  [[nodiscard]] const inline_call_entry& caller() const noexcept {
    return *reinterpret_cast<const inline_call_entry*>(bits_ - 2);
  }
  [[nodiscard]] bool is_packed() const noexcept { return (bits_ & 1U) != 0; }
  [[nodiscard]] std::uint64_t source() const noexcept { return (bits_ >> 1U) & source_max; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return bits_ >> 25U; }
  [[nodiscard]] envelope_block* block() const noexcept { return reinterpret_cast<envelope_block*>(bits_); }

  /// Of the same source, `count` messages later or earlier. Precondition: is_packed().
  [[nodiscard]] constexpr identity_word packed_after(std::uint64_t count) const noexcept {
    return identity_word(bits_ + (count << 25U));
  }
  [[nodiscard]] constexpr identity_word packed_before(std::uint64_t count) const noexcept {
    return identity_word(bits_ - (count << 25U));
  }
  /// No message's, however many come after it: not packed, and no pointer to a block.
  [[nodiscard]] static constexpr identity_word none() noexcept { return identity_word(6); }
  /// Of packed ones: the order of their sequences.
  friend auto operator<=>(const identity_word&, const identity_word&) noexcept = default;

  /// max: it may be handled for ever.
  [[nodiscard]] base::time_point deadline() const noexcept {
    return is_packed() ? base::time_point::max() : block()->deadline;
  }

  /// One more slot holds this word.
  void add_reference() const noexcept { add_references(1); }
  /// `count` more readers of it.
  void add_references(std::uint32_t count) const noexcept {
    if (!is_packed()) block()->references.fetch_add(count, std::memory_order_relaxed);
  }
  /// The slot that held it is done.
  void drop_reference() const noexcept {
    if (is_packed() || !queue::release(*block())) return;
    block()->empty();
    queue::block_pool::give_back(block());
  }

 private:
  explicit constexpr identity_word(std::uint64_t bits) noexcept : bits_(bits) {}
  std::uint64_t bits_ = 0;
};
static_assert(sizeof(void*) == sizeof(std::uint64_t), "the packed identity shares its word with a pointer");

/// Values up to this size travel inside the queue slot; 56-byte slots are the measured knee (64 costs half the speed).
inline constexpr std::size_t inline_size_max_bytes = 48;

template <class T>
inline constexpr bool travels_inline =
    std::is_trivially_copyable_v<T>&& std::is_copy_constructible_v<T>&& std::is_copy_assignable_v<T> &&
    sizeof(T) <= inline_size_max_bytes && alignof(T) <= alignof(std::uint64_t);

/// From this size on a message begins a cache line of its own: what is copied is many lines, and whole ones take less
/// (4 KiB: 28 ns instead of 32), and readers who count references do not take the value's first line from each other.
inline constexpr std::size_t own_line_from_bytes = 1024;

/// A large or non-trivial message, shared by all receivers.
template <class T>
struct value_block : queue::block_header {
  alignas(T) alignas(sizeof(T) >= own_line_from_bytes ? 64 : 1) std::byte storage[sizeof(T)];
  [[nodiscard]] T& value() noexcept { return *std::launder(reinterpret_cast<T*>(storage)); }
};

/// T says what a message owns outside of its block.
template <class T>
inline constexpr bool differs_in_size = !travels_inline<T> && requires(const T& of) {
  owned_bytes<T>::of(of);
};

/// What a message takes outside of the queues: nothing, its block, or its block and what it owns.
template <class T>
[[nodiscard]] std::size_t bytes_of(const T& message) noexcept {
  if constexpr (travels_inline<T>) {
    return 0;
  } else if constexpr (differs_in_size<T>) {
    return sizeof(value_block<T>) + owned_bytes<T>::of(message);
  } else {
    return sizeof(value_block<T>);
  }
}

/// A block that nobody else holds and that was not charged to the budget.
template <class T>
void destroy_block(queue::block_header* block) noexcept {
  std::destroy_at(&static_cast<value_block<T>*>(block)->value());
  queue::block_pool::give_back(block);
}

/// One reference to a message; with the last one it is destroyed, and the budget has its bytes again when `to` gives
/// them back.
template <class T>
void drop_block(queue::block_header* block, queue::returning_blocks& to) noexcept {
  if (!queue::release(*block)) return;
  const std::int64_t cost = block->home->budget()->cost_of(block->bytes);
  std::destroy_at(&static_cast<value_block<T>*>(block)->value());
  to.add(block, cost);
}
/// The same, and the budget has them at once.
template <class T>
void drop_block(queue::block_header* block) noexcept {
  queue::returning_blocks only;
  drop_block<T>(block, only);
}

struct any_slot;

/// A message on its way: as it lies in a subscription's queue, unpadded on purpose (64 bytes halve the throughput); a
/// multicast keeps its parts apart.
template <class T, bool Inline = travels_inline<T>>
struct slot {
  using identity_type = identity_word;
  using payload_type = base::words<sizeof(T)>;
  static constexpr bool owns_payload = false;  ///< drop_payload() has something to do
  identity_type identity;
  payload_type payload;
  [[nodiscard]] static const T& value_in(const payload_type& payload) noexcept {
    return *std::launder(static_cast<const T*>(payload.data()));
  }
  [[nodiscard]] const T& value() const noexcept { return value_in(payload); }
  void drop() const noexcept { identity.drop_reference(); }
  /// drop() but for the identity.
  void drop_payload(queue::returning_blocks&) const noexcept {}
  static void drop_payload(const payload_type&, queue::returning_blocks&) noexcept {}
  /// The same message, of this type. Takes over its references.
  [[nodiscard]] static slot of(const any_slot& message) noexcept;
};

template <class T>
struct slot<T, false> {
  using identity_type = identity_word;
  using payload_type = value_block<T>*;
  static constexpr bool owns_payload = true;
  identity_type identity;
  payload_type payload;
  [[nodiscard]] static const T& value_in(const payload_type& payload) noexcept { return payload->value(); }
  [[nodiscard]] const T& value() const noexcept { return value_in(payload); }
  /// Where all are of one size, the capacity is chosen by it.
  [[nodiscard]] std::size_t weighed_bytes() const noexcept requires(differs_in_size<T>) { return payload->bytes; }
  /// The payload first, because its destructor may publish because of this message.
  void drop() const noexcept {
    drop_block<T>(payload);
    identity.drop_reference();
  }
  void drop_payload(queue::returning_blocks& to) const noexcept { drop_payload(payload, to); }
  static void drop_payload(const payload_type& payload, queue::returning_blocks& to) noexcept {
    drop_block<T>(payload, to);
  }
  [[nodiscard]] static slot of(const any_slot& message) noexcept;
};

/// What a message takes with its place, without what it owns elsewhere.
template <class T>
inline constexpr std::size_t bytes_in_inbox = sizeof(slot<T>) + (travels_inline<T> ? 0 : sizeof(value_block<T>));

class topic_core;

/// What lies where messages of several topics or types meet, in a route's queue or a pattern's inbox. `payload` is the
/// value where its type travels inline, else the pointer to its block.
struct any_slot {
  static constexpr bool owns_payload = true;
  identity_word identity;
  topic_core* topic;
  base::words<inline_size_max_bytes> payload;
  /// The message, of the topic's type.
  [[nodiscard]] const void* value() const noexcept;
  void drop() const noexcept;
  void drop_payload(queue::returning_blocks& to) const noexcept;
  static void drop_payload(const any_slot& message, queue::returning_blocks& to) noexcept { message.drop_payload(to); }
  /// A second one to be dropped.
  [[nodiscard]] any_slot with_references() const noexcept;
  [[nodiscard]] std::size_t weighed_bytes() const noexcept;
  [[nodiscard]] static const any_slot& of(const any_slot& message) noexcept { return message; }

  /// Where its type does not travel inline.
  [[nodiscard]] queue::block_header* block() const noexcept {
    return reinterpret_cast<queue::block_header*>(*static_cast<const std::uintptr_t*>(payload.data()));
  }
};

template <class T, bool Inline>
slot<T, Inline> slot<T, Inline>::of(const any_slot& message) noexcept {
  return {message.identity, base::words<sizeof(T)>(*std::launder(static_cast<const T*>(message.payload.data())))};
}
template <class T>
slot<T, false> slot<T, false>::of(const any_slot& message) noexcept {
  return {message.identity, static_cast<value_block<T>*>(message.block())};
}

/// Raw room for `Count` slots on the stack: slots have trivial destructors, so nothing is constructed up front.
template <class Slot, std::size_t Count>
struct slot_array {
  alignas(Slot) std::byte bytes[sizeof(Slot) * Count];
  [[nodiscard]] Slot* data() noexcept { return reinterpret_cast<Slot*>(bytes); }
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
