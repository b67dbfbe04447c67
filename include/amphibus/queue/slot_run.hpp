#pragma once

#include <cstddef>
#include <new>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// A slot that is a `payload` and an `identity`, which mostly follows from the one before.
///
/// `identity_type` is a word with is_packed() and, of packed ones, packed_after() and packed_before(); its none() is no
/// message's, nor is what comes before or after that.
template <class Slot>
concept identified = requires {
  typename Slot::identity_type;
  typename Slot::payload_type;
};

/// Messages of which each follows the one before: what a loop over them has to know, and nothing else.
template <class Payload, class Identity>
struct sequence {
  const std::byte* payloads;
  std::size_t step;   ///< bytes from one payload to the next
  Identity identity;  ///< of the first
  std::size_t count;

  [[nodiscard]] explicit operator bool() const noexcept { return count != 0; }
  /// Of the first.
  [[nodiscard, gnu::always_inline]] const Payload& payload() const noexcept {
    return *std::launder(reinterpret_cast<const Payload*>(payloads));
  }
  [[gnu::always_inline]] void drop_first() noexcept {
    payloads += step;
    identity = identity.packed_after(1);
    --count;
  }
};

/// Messages that lie one after the other, in an array of slots or in a block of a multicast, whose they stay.
template <class Slot>
class slot_run {
 public:
  slot_run() = default;
  slot_run(const Slot* slots, std::size_t how_many) noexcept : count(how_many), first_(slots) {}

  [[nodiscard]] explicit operator bool() const noexcept { return count != 0; }
  [[nodiscard]] const Slot& operator[](std::size_t which) const noexcept { return first_[which]; }
  [[nodiscard]] auto identity(std::size_t which) const noexcept { return first_[which].identity; }
  void drop_front(std::size_t some) noexcept {
    first_ += some;
    count -= some;
  }
  /// Takes the first ones off that are known to follow each other: here that one alone, its own payload.
  [[nodiscard]] auto take_sequence() noexcept {
    --count;
    const Slot* const one = first_++;
    return sequence<Slot, decltype(one->identity)>{reinterpret_cast<const std::byte*>(one), 0, one->identity, 1};
  }
  [[nodiscard]] const Slot* slots() const noexcept { return first_; }

  std::size_t count = 0;

 private:
  const Slot* first_ = nullptr;
};

template <identified Slot>
class slot_run<Slot> {
 public:
  using identity_type = typename Slot::identity_type;
  using payload_type = typename Slot::payload_type;

  slot_run() = default;
  slot_run(const Slot* slots, std::size_t how_many) noexcept
      : slot_run(address(&slots->payload), sizeof(Slot), address(&slots->identity), sizeof(Slot), {}, how_many) {}
  /// Payloads, of which the first message is `first`, and each of the others follows the one before.
  slot_run(const payload_type* payloads, identity_type first, std::size_t how_many) noexcept
      : slot_run(address(payloads), sizeof(payload_type), nullptr, 0, first, how_many) {}
  slot_run(const payload_type* payloads, const identity_type* identities, std::size_t how_many) noexcept
      : slot_run(address(payloads), sizeof(payload_type), address(identities), sizeof(identity_type), {}, how_many) {}

  [[nodiscard]] explicit operator bool() const noexcept { return count != 0; }
  [[nodiscard]] Slot operator[](std::size_t which) const noexcept { return {identity(which), payload(which)}; }
  [[nodiscard]] const payload_type& payload(std::size_t which) const noexcept {
    return *as<payload_type>(payloads_ + which * payload_step_);
  }
  [[nodiscard]] identity_type identity(std::size_t which) const noexcept {
    if (in_sequence()) return first_.packed_after(which);
    return *as<identity_type>(identities_ + which * identity_step_);
  }
  void drop_front(std::size_t some) noexcept {
    payloads_ += some * payload_step_;
    identities_ += some * identity_step_;
    first_ = first_.packed_after(some);
    count -= some;
  }
  /// Takes the first ones off that follow each other: one if it is not packed.
  [[nodiscard]] sequence<payload_type, identity_type> take_sequence() noexcept {
    const identity_type first = identity(0);
    const sequence<payload_type, identity_type> out{payloads_, payload_step_, first, sequence_length(first)};
    drop_front(out.count);
    return out;
  }
  /// Whether each is known to follow the one before.
  [[nodiscard]] bool in_sequence() const noexcept { return identities_ == nullptr; }
  /// One after the other. Precondition: they lie in a block.
  [[nodiscard]] const payload_type* payloads() const noexcept { return as<payload_type>(payloads_); }
  /// Null where they are in sequence.
  [[nodiscard]] const identity_type* identities() const noexcept {
    return in_sequence() ? nullptr : as<identity_type>(identities_);
  }

  std::size_t count = 0;

 private:
  slot_run(const std::byte* payloads, std::size_t payload_step, const std::byte* identities, std::size_t identity_step,
           identity_type first, std::size_t how_many) noexcept
      : count(how_many),
        payloads_(payloads),
        identities_(identities),
        first_(first),
        payload_step_(payload_step),
        identity_step_(identity_step) {}
  [[nodiscard]] std::size_t sequence_length(identity_type first) const noexcept {
    if (in_sequence()) return count;
    std::size_t length = 1;
    while (first.is_packed() && length != count && identity(length) == first.packed_after(length)) ++length;
    return length;
  }
  static const std::byte* address(const void* of) noexcept { return static_cast<const std::byte*>(of); }
  template <class T>
  [[nodiscard]] static const T* as(const std::byte* at) noexcept {
    return std::launder(reinterpret_cast<const T*>(at));
  }

  const std::byte* payloads_ = nullptr;
  const std::byte* identities_ = nullptr;  // null: they follow from first_
  identity_type first_ = {};
  std::size_t payload_step_ = 0;
  std::size_t identity_step_ = 0;
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
