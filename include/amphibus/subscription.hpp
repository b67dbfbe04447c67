#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <amphibus/detail/subscriber.hpp>
#include <amphibus/queue/inbox.hpp>
#include <amphibus/executor.hpp>
#include <amphibus/retain.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// What happens when a subscription's inbox is full. Thread: const-safe, a value.
class overflow {
 public:
  /// Publishers wait up to `timeout`, then their publish answers would_block and nobody gets the message. The default.
  static constexpr overflow block(base::duration timeout = std::chrono::seconds(5)) noexcept {
    return overflow({queue::overflow_kind::block, timeout});
  }
  /// The publish answers would_block at once, also inside a handler, and nobody gets the message. What arrives from
  /// another process waits at the border, as with block.
  static constexpr overflow fail() noexcept { return overflow({queue::overflow_kind::fail, {}}); }
  /// The new message passes this subscription by; it is counted, an event tells, the next message says lost_before().
  static constexpr overflow drop_newest() noexcept { return overflow({queue::overflow_kind::drop_newest, {}}); }

  /// The oldest waiting message of the same source makes room, counted and told as with drop_newest; where others'
  /// messages take every place, the new one passes by. `capacity` counts what waits, not what the handler has in hand.
  static constexpr overflow drop_oldest() noexcept { return overflow({queue::overflow_kind::drop_oldest, {}}); }
  /// Keeps one message per topic and key, the topic's or publish_options::key: a newer one replaces what waits, counted
  /// as replaced and told by lost_before(). `capacity` bounds the keys that wait at once; a new key beyond it passes
  /// by, counted as dropped.
  static constexpr overflow latest() noexcept { return overflow({queue::overflow_kind::latest, {}}); }

  [[nodiscard]] constexpr const queue::overflow_rule& rule() const noexcept { return rule_; }

 private:
  explicit constexpr overflow(queue::overflow_rule rule) noexcept : rule_(rule) {}
  queue::overflow_rule rule_;
};

/// Everything a subscription can choose, all with defaults. Thread: const-safe. Lifetime: the call; `name` is copied.
struct subscription_options {
  /// For events, counters and reports; default "subscription-N".
  std::string_view name = {};
  /// Messages: with block, fail and drop_newest those accepted and not finished, the ones in the handler's hand or kept
  /// included; with drop_oldest those that wait; with latest the keys that wait, counted per topic. 1 to 16,777,216:
  /// a choice, 2^24 of the largest slots are 1 GiB.
  std::size_t capacity = 8192;
  /// The same in bytes, of the messages with what owned_bytes says that they own: where messages are of one size, fewer
  /// fit; else each takes one place of `capacity` for every started `capacity_bytes / capacity`, and at most half of
  /// all. A message of up to 48 plain bytes takes one place. Not with overflow::latest().
  std::size_t capacity_bytes = std::size_t{64} << 20U;
  amphibus::overflow overflow = amphibus::overflow::block();
  /// Where the handler runs: serial, dedicated, inline_, a pool, a loop or a posting_executor. For a receiver, where
  /// coroutines that wait for it go on; not inline_.
  executor_choice on = serial;
  /// Subscriptions of one topic or pattern with one group name compete: each message goes to one of them, to whoever is
  /// ready; one with a key always to the same, until members join or leave. They share one inbox and ask for the same
  /// `capacity`, `capacity_bytes`, `overflow` and `concurrency`. Empty: no group.
  std::string_view group = {};
  /// How many handlers of this subscription may run at once, 1 to 256; more than one needs a pool, `dedicated` or a
  /// posting_executor. What
  /// has the same key is handled one after the other, in order; what has none, in no order. Not with drop_oldest and
  /// latest, as `group`: what is handed out cannot be thrown out any more.
  std::size_t concurrency = 1;
  /// Whose turn comes first in a pool with several `.priorities`: the higher one's. 0 to one less than there are.
  std::size_t priority = 0;
  /// What it gets first, of what its topic retains; of a pattern, every topic that exists. It needs no room, but the
  /// places that it takes are free for others only when it is handled. In a group it is for all members: the first one
  /// gets it, and they ask for the same. Not with inline_. More than is retained is an error.
  amphibus::start start = amphibus::start::live();
};

/// Keeps a handler subscribed.
///
/// ```cpp
/// std::map<int, int> pence_by_order;   // declared first, so that it ends last
/// auto sub = bus.subscribe(orders, [&](const order_placed& o) { pence_by_order[o.id] = o.pence; });
/// ```
/// Its end is an end: the destructor returns when no handler of it runs, none will start and the callable is destroyed.
/// Called from that very handler it returns at once, nothing further starts, and the callable dies when the handler
/// returns. Messages still queued are counted as unsubscribed. Two handlers that destroy each other's subscriptions at
/// the same time would wait for ever: that asserts and names both; a lock that its handler wants must not be held. Use
/// a receiver where a thread has a loop of its own. Thread: confined; counters and name const-safe, the destructor from
/// any thread. Lifetime: may outlive the bus.
class [[nodiscard("a subscription that is not kept ends at once")]] subscription {
 public:
  subscription() noexcept;
  subscription(subscription && other) noexcept;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// Ends it now, with the destructor's guarantee. Idempotent.
  void end();
  /// False once ended or moved from.
  explicit operator bool() const noexcept;
  /// Precondition: not ended here nor moved from; the bus may be closed.
  [[nodiscard]] subscription_counters counters() const;
  [[nodiscard]] const std::string& name() const;

  /// For the library only.
  explicit subscription(std::shared_ptr<detail::subscriber_base> subscriber) noexcept;

 private:
  std::shared_ptr<detail::subscriber_base> subscriber_;
};

}  // namespace amphibus
#pragma GCC visibility pop
