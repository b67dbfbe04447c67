#pragma once

#include <cstddef>
#include <string_view>

#include <amphibus/base/ids.hpp>
#include <amphibus/base/time.hpp>
#include <amphibus/status.hpp>
#include <amphibus/wire/attributes.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// What one publish can add to its message; read back from the context.
///
/// ```cpp
/// bus.publish(orders, {.id = 1, .pence = 1999}, {.key = "customer-7", .headers = {{"tenant", "acme"}}});
/// ```
/// Limits: a key of 255 bytes, 64 headers, names of 1 to 255 bytes, 16 KiB together; beyond them publish answers
/// too_large. Thread: const-safe. Lifetime: the call; the bus keeps copies.
struct publish_options {
  /// What the message is about: overflow::latest() keeps one message per key, groups and subscriptions with
  /// `.concurrency` handle what has the same key in order. Not for a topic that has a key of its own (asserts).
  std::string_view key = {};
  /// Text beside the message, in this order; a name may repeat.
  header_list headers = {};
  /// The conversation this message belongs to, instead of that of the handler that publishes it.
  message_id correlation = {};
  /// How long from now the message is worth handling: later no handler starts with it, and no route sends it. Counted
  /// as `expired` and told by an event; the time left travels with it. Up to 49 days, beyond that and by default for
  /// ever.
  base::duration deadline = base::duration::max();

  /// Nothing is chosen: the fast path.
  [[nodiscard]] bool is_default() const noexcept {
    return key.empty() && headers.empty() && !correlation && deadline == base::duration::max();
  }
};

/// Answer of publish_batch. The messages from `accepted_prefix` on reached nobody: repeating from there is safe.
/// Thread: const-safe.
struct batch_status {
  publish_status status = publish_status::accepted;  ///< of the first message that was not accepted
  std::size_t accepted_prefix = 0;                   ///< so many messages were accepted, in order
};

}  // namespace amphibus
#pragma GCC visibility pop
