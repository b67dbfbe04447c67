#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace amphibus {

/// Answer of a publish. A publish is all-or-nothing over every subscription and route that may refuse. What is found
/// out later, e.g. a message over its transport's limit, is an event (undeliverable) and no answer.
enum class publish_status : std::uint8_t {
  accepted,        ///< every subscription has it, or its own drop policy counted it
  no_subscribers,  ///< nobody wants the topic now; nothing was queued
  would_block,     ///< somebody who may refuse has no room and the time is over; nobody got it, repeating is safe
  too_large,       ///< key or headers are over a limit of publish_options; it can never be accepted
  closed,          ///< the bus is closed or closing, or this is the child of a fork
};

/// `accepted`, `no_subscribers`, `would_block`, `too_large` or `closed`.
constexpr const char* to_string(publish_status status) noexcept {
  switch (status) {
    case publish_status::accepted: return "accepted";
    case publish_status::no_subscribers: return "no_subscribers";
    case publish_status::would_block: return "would_block";
    case publish_status::too_large: return "too_large";
    case publish_status::closed: return "closed";
  }
  return "unknown";
}

}  // namespace amphibus
#pragma GCC visibility pop
