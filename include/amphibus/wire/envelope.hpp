#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <amphibus/base/ids.hpp>
#include <amphibus/base/time.hpp>
#include <amphibus/wire/attributes.hpp>

#pragma GCC visibility push(default)
namespace amphibus::wire {

/// What travels with a message besides its payload; maps to CloudEvents id, source, correlationid, causationid.
struct envelope {
  message_id id;
  message_id correlation;         ///< the message that began the conversation; its own id for a first message
  message_id causation;           ///< the message whose handler published this one; none for a first message
  std::uint64_t lost_before = 0;  ///< messages of this stream that were lost directly before this one
  attributes_view attributes;     ///< key and headers; valid as long as the message
  /// How long it is still worth handling; none is left at 0, max: for ever.
  base::duration time_left = base::duration::max();

  friend bool operator==(const envelope& a, const envelope& b) noexcept;
};

/// A message that no handler caused: correlation is its own id.
[[nodiscard]] inline envelope first_envelope(message_id id) noexcept { return {id, id, {}, 0, {}}; }

class shared_buffer;

/// One message as it arrived; `payload` points into the transport's buffer and is 8-aligned.
struct received_message {
  envelope with;
  std::span<const std::byte> payload;
  shared_buffer* owner = nullptr;  ///< of the bytes, for a codec that keeps them; null: they end with the call
  bool first = false;              ///< `with` is first_envelope(with.id), but for lost_before
};

/// Messages of one source that arrived one after the other and are of one size: `head`, and where `count` is more than
/// one, those whose sequence numbers follow, without anything else in their envelopes.
struct received_run {
  received_message head;
  std::size_t count = 0;
  std::size_t stride = 0;  ///< from one payload to the next

  [[nodiscard]] bool empty() const noexcept { return count == 0; }
  [[nodiscard]] std::span<const std::byte> payload(std::size_t which) const noexcept {
    return {head.payload.data() + which * stride, head.payload.size()};
  }
  [[nodiscard]] received_message operator[](std::size_t which) const noexcept {
    received_message out = head;
    if (which == 0) return out;
    out.with = first_envelope({head.with.id.source, head.with.id.sequence + which});
    out.payload = payload(which);
    return out;
  }
  /// What is left after the first `some`.
  [[nodiscard]] received_run without(std::size_t some) const noexcept {
    if (some == count) return {};
    return {(*this)[some], count - some, stride};
  }
};

}  // namespace amphibus::wire
#pragma GCC visibility pop
