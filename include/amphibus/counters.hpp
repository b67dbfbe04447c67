#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace amphibus {

/// What became of the messages of one subscription. Monotone, except `pending`; read at any time from any thread, each
/// number by itself. Thread: const-safe, a copy.
struct subscription_counters {
  std::uint64_t handled = 0;       ///< handler calls that ended, failed ones included
  std::uint64_t failed = 0;        ///< handler calls that ended with an exception
  std::uint64_t dropped = 0;       ///< passed by or thrown out because of the overflow rule
  std::uint64_t replaced = 0;      ///< gave way to a newer one of their key; only with overflow::latest()
  std::uint64_t unsubscribed = 0;  ///< still queued when the subscription ended
  std::uint64_t filtered = 0;      ///< not wanted by its filter
  std::uint64_t expired = 0;       ///< not handled because their deadline had passed
  std::uint64_t pending = 0;       ///< accepted and not finished, now
};

/// What was published on one topic in this process. Monotone. Thread: const-safe, a copy.
struct topic_counters {
  std::uint64_t published = 0;  ///< accepted publishes, remote messages that arrived here included; by the end of each
  std::uint64_t no_subscribers = 0;  ///< publishes that nobody wanted
  std::uint64_t refused = 0;         ///< publishes that answered would_block
  std::uint64_t undeliverable = 0;   ///< accepted, held, and given up; what a transport cannot encode is an event only
  std::uint64_t egress_dropped = 0;  ///< dropped on the way to other processes because the route is drop_newest
  std::uint64_t egress_expired = 0;  ///< not sent to other processes because their deadline had passed
  std::uint64_t retained = 0;        ///< kept for subscriptions that come later, now
  std::uint64_t forgotten = 0;       ///< no longer retained because of a bound; not those that newer ones replaced
};

/// What the messages of one bus take now, as bus_options::memory_max_bytes counts it. Thread: const-safe, a copy.
struct memory_counters {
  std::uint64_t used_bytes = 0;
  std::uint64_t max_bytes = 0;
};

/// What crossed the border of this process on data sockets: topics and batches as they travel, headers and padding
/// included; not the control links, nor what the sockets add. Monotone. Thread: const-safe, a copy.
struct wire_counters {
  std::uint64_t sent_bytes = 0;      ///< once per frame, however many processes it goes to
  std::uint64_t received_bytes = 0;  ///< refused frames included
};

}  // namespace amphibus
#pragma GCC visibility pop
