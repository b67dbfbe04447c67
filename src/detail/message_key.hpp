#pragma once

#include <string_view>

#include <amphibus/detail/message.hpp>
#include <amphibus/detail/topic_core.hpp>
#include <amphibus/topic.hpp>

namespace amphibus::detail {

/// Where a key that is a number lies as bytes.
struct key_room {
  char bytes[sizeof(std::uint64_t)];
};

/// The topic's own key of a message, else publish_options::key; empty without either. Lifetime: of message and room.
[[nodiscard]] inline std::string_view key_of(const topic_core& topic, identity_word identity, const void* message,
                                             key_room& room) {
  if (const key_operations* const own = topic.key()) return own->bytes(message, room.bytes);
  return identity.is_packed() ? std::string_view() : identity.block()->value.attributes.key();
}

}  // namespace amphibus::detail
