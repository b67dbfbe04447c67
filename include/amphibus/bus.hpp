#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/batch.hpp>
#include <amphibus/context.hpp>
#include <amphibus/counters.hpp>
#include <amphibus/detail/bus_core.hpp>
#include <amphibus/executor.hpp>
#include <amphibus/pattern.hpp>
#include <amphibus/publisher.hpp>
#include <amphibus/reports.hpp>
#include <amphibus/status.hpp>
#include <amphibus/subscription.hpp>
#include <amphibus/topic.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

template <class T>
class receiver;
namespace config {
struct configuration;
}
namespace transport {
class transport;
}

namespace detail {
/// One entry of a thread's cache of outlets; raw pointers, because the bus's id is never reused.
struct cached_outlet {
  std::uint64_t bus = 0;
  const char* name = nullptr;
  const type_operations* type = nullptr;
  outlet_base* outlet = nullptr;
};
}  // namespace detail

/// What a bus can choose, all with defaults. Thread: const-safe.
struct bus_options {
  std::string name = "amphibus";               ///< names the serial executor's thread (first 15 characters)
  base::clock* clock = &base::steady_clock();  ///< every deadline; outlives the bus and all its handles
  executor_choice on = serial;                 ///< where `.on = serial` runs: a thread of the bus, or a loop
  /// What all messages together may take, with what owned_bytes says that they own; messages of up to 48 plain bytes
  /// lie in the inboxes and are not counted, nor are headers (16 KiB each at most). Beyond it subscriptions that block
  /// or fail refuse, and those that drop count the message as dropped. 1 MiB to 64 TiB.
  std::size_t memory_max_bytes = std::size_t{1} << 30U;
  std::string process = {};  ///< which process of the configuration this is; only with one
};

/// A typed publish/subscribe bus.
///
/// ```cpp
/// amphibus::bus bus;
/// auto sub = bus.subscribe(orders, [](const order_placed& o) { std::printf("order %d\n", o.id); });
/// bus.publish(orders, {.id = 1, .pence = 1999});
/// bus.drain();
/// ```
/// In-process unless a configuration or amphibus::app gave it routes. Order: FIFO per source and topic to every
/// subscription; a source is a publisher handle, a handler, or a thread outside handlers. Thread: safe, owns threads.
/// Lifetime: the destructor closes with the default deadline; not inside a handler of this bus (asserts). Publishers,
/// subscriptions, receivers, messages and pools may outlive it.
class bus {
 public:
  /// In-process; no thread starts before something needs it. Throws: error (bad_option: `options.on` is neither
  /// `serial` nor a loop, or `options.memory_max_bytes` is outside its limits).
  explicit bus(bus_options options = {});
  /// One process of a configuration, without modules: routes decide which topics leave it over `transports`.
  ///
  /// `transports`: see amphibus::transports(); none is null, no two have one name.
  /// Binds the process's endpoint and links to the others at once; a transport that no route names opens nothing.
  /// Throws: error (bad_option as above; config_unknown_name: no such process, or a route's transport is not among
  /// `transports`; config_conflict: two of them have one name; unsupported_level, endpoint_invalid, endpoint_in_use).
  bus(const config::configuration& from, bus_options options,
      std::vector<std::unique_ptr<amphibus::transport::transport>> transports);
  bus(const bus&) = delete;
  bus& operator=(const bus&) = delete;
  ~bus();

  /// Subscribes with default options: the bus's serial executor, 8192 messages, block. See the other overload.
  template <class T, handler_of<T> Callable>
  subscription subscribe(const topic<T>& to, Callable handler) {
    return subscribe(to, subscription_options{}, std::move(handler));
  }
  /// Calls `handler` for every message published on `to` from now on.
  ///
  /// Handlers of serial subscriptions never overlap. An exception of a handler is counted, told through on_event and
  /// goes no further. Throws: error (topic_type_conflict; missing_codec; bad_option: a bound, or an option that
  /// inline_ has no use for; bus_closed: closing or closed, or the child of a fork), and std::system_error if a thread
  /// is needed and the system starts none. Never blocks; also inside handlers.
  template <class T, handler_of<T> Callable>
  subscription subscribe(const topic<T>& to, const subscription_options& options, Callable handler) {
    return add<T, detail::slot<T>>({.topic = &find(to), .history = options.start.per_key()}, options,
                                   std::move(handler));
  }
  /// Calls `handler` for every message of every topic that `to` covers, now and later. See pattern.
  template <class T, handler_of<T> Callable>
  subscription subscribe(const pattern<T>& to, const subscription_options& options, Callable handler) {
    detail::interest wants{.pattern = std::string(to.text()), .history = options.start.per_key()};
    if constexpr (!std::is_same_v<T, any_message>) {
      wants.type = &detail::type_operations_of<T>;
      wants.codec = wire::find_codec<T>();
    }
    return add<T, detail::any_slot>(std::move(wants), options, std::move(handler));
  }
  template <class T, handler_of<T> Callable>
  subscription subscribe(const pattern<T>& to, Callable handler) {
    return subscribe(to, subscription_options{}, std::move(handler));
  }
  /// As subscribe, but returns the error that it throws.
  template <class T, handler_of<T> Callable>
  result<subscription> try_subscribe(const topic<T>& to, const subscription_options& options, Callable handler) {
    try {
      return subscribe(to, options, std::move(handler));
    } catch (const error& why) {
      return why;
    }
  }
  template <class T, handler_of<T> Callable>
  result<subscription> try_subscribe(const topic<T>& to, Callable handler) {
    return try_subscribe(to, subscription_options{}, std::move(handler));
  }
  template <class T, handler_of<T> Callable>
  result<subscription> try_subscribe(const pattern<T>& to, const subscription_options& options, Callable handler) {
    try {
      return subscribe(to, options, std::move(handler));
    } catch (const error& why) {
      return why;
    }
  }
  template <class T, handler_of<T> Callable>
  result<subscription> try_subscribe(const pattern<T>& to, Callable handler) {
    return try_subscribe(to, subscription_options{}, std::move(handler));
  }

  /// A subscription that is pulled, FIFO per source; include <amphibus/receiver.hpp>, where examples stand. `.on` is
  /// where coroutines that wait for it go on; no thread is started for one that a thread pulls, unless it is dedicated.
  /// Throws: as subscribe; bad_option for inline_, `.group` and `.concurrency`.
  template <class T>
  [[nodiscard]] amphibus::receiver<T> receiver(const topic<T>& to, const subscription_options& options = {});

  /// A handle for publishing fast from one thread; on a closed bus its publishes answer closed.
  /// Throws: error (topic_type_conflict, missing_codec).
  template <class T>
  [[nodiscard]] amphibus::publisher<T> publisher(const topic<T>& to, const publisher_options& options = {}) {
    return amphibus::publisher<T>(core_, find(to), options);
  }

  /// Publishes from any thread; the thread, or inside a handler the handler, is the source.
  /// Returns and waits as publisher::publish. Throws: error (topic_type_conflict, missing_codec) at the source's first
  /// use of the topic, and what moving T throws.
  template <class T>
  [[gnu::always_inline]] publish_status publish(const topic<T>& to, std::type_identity_t<T>&& message) {
    return outlet_for(to).publish(message, as_asked);
  }
  template <class T>
  [[gnu::always_inline]] publish_status publish(
      const topic<T>& to, const std::type_identity_t<T>& message) requires std::copy_constructible<T> {
    return outlet_for(to).publish(message, as_asked);
  }
  template <class T>
  publish_status publish(const topic<T>& to, std::type_identity_t<T> message, const publish_options& with) {
    return outlet_for(to).publish(message, as_asked, with);
  }
  /// The same, but never waits and holds nothing. Returns: accepted; no_subscribers; would_block (somebody who blocks
  /// or fails has no room now, or what this handler holds for the topic goes first; nobody got it); too_large; closed.
  template <class T>
  [[nodiscard, gnu::always_inline]] publish_status try_publish(const topic<T>& to, std::type_identity_t<T>&& message) {
    return outlet_for(to).publish(message, at_once);
  }
  template <class T>
  [[nodiscard, gnu::always_inline]] publish_status try_publish(
      const topic<T>& to, const std::type_identity_t<T>& message) requires std::copy_constructible<T> {
    return outlet_for(to).publish(message, at_once);
  }
  template <class T>
  [[nodiscard]] publish_status try_publish(const topic<T>& to, std::type_identity_t<T> message,
                                           const publish_options& with) {
    return outlet_for(to).publish(message, at_once, with);
  }

  /// Waits until every process of the configuration called it too and has the subscriptions made before: what is
  /// published afterwards reaches them. Call it once, when all subscriptions exist; one that is made later gets what is
  /// published after it became effective here (until then publish answers no_subscribers if there is nobody else). At
  /// once without a configuration, and when closed.
  /// Throws: error (not_ready naming who is missing; peer_protocol, peer_routes, peer_type). Thread: any; not inside a
  /// handler, which would wait.
  void wait_until_ready(base::duration deadline = std::chrono::seconds(10));
  /// What messages take now. Thread: any.
  [[nodiscard]] memory_counters memory() const;
  /// What crossed the border of this process so far; after close() in total. Thread: any.
  [[nodiscard]] wire_counters bytes() const noexcept;

  /// Returns when everything accepted before has been handled, what handlers publish included, and what is bound for
  /// other processes is handed to the transport; after `deadline`, 5 s unless given, at the latest. Nothing is closed.
  ///
  /// Returns: complete, also on a bus that is closed and in the child of a fork; deadline, naming what is left: others
  /// went on publishing, a handler is slow, a receiver's message is kept, nobody runs a loop; called_from_handler, at
  /// once, inside a handler of this bus, whose own message would never be finished. Thread: any but one that should run
  /// a loop: it runs the loop until idle instead.
  drain_report drain(base::duration deadline = std::chrono::seconds(5));
  /// Refuses publishers outside handlers, drains, says goodbye to other processes, ends all subscriptions.
  ///
  /// Returns: complete; deadline, naming what was left and dropped: the end is the same, once running handlers return;
  /// called_from_handler inside a handler of this bus: nothing is closed then. `silent_peers` did not confirm the
  /// goodbye. Again, or in the child of a fork: complete, with nothing to do. Thread: any other; where several close at
  /// once, each returns when it is done.
  close_report close(base::duration deadline = std::chrono::seconds(5));

  /// Calls `callback` for everything a person should know, one event at a time, on the thread that found it.
  ///
  /// Keep it short: that thread waits for it. Inside, publishing (which never waits there), subscribing and reading
  /// counters are allowed; ending a subscription, drain() and close() are not, because the event may come from the
  /// middle of a delivery. What it throws is swallowed. Replaces the one before, which has returned and is destroyed
  /// when this returns; replaced inside itself it dies when it returns. Thread: any.
  template <std::invocable<const event&> Callable>
  void on_event(Callable callback) {
    core_->on_event(std::make_unique<detail::callback_to<const event&, Callable>>(std::move(callback)));
  }
  /// The same as finished lines for a log, after on_event; one does not see the other's exception. The library itself
  /// writes nowhere.
  template <std::invocable<std::string_view> Callable>
  void on_log(Callable callback) {
    core_->on_log(std::make_unique<detail::callback_to<std::string_view, Callable>>(std::move(callback)));
  }

  /// The pool of that name, made at its first use. Throws: error (bad_option: no name, an option outside its limits, or
  /// other options than those the pool was made with; bus_closed). Thread: any.
  [[nodiscard]] amphibus::pool pool(std::string_view name, const pool_options& options = {});

  /// A topic whose name is known at run time only. Returns: the topic, valid as long as this bus; or bad_topic with the
  /// escaped name and the position, topic_type_conflict, missing_codec. Thread: any.
  template <class T>
  [[nodiscard]] result<topic<T>> make_topic(std::string_view name) {
    const auto verdict = wire::check_topic_name(name);
    if (!verdict.ok()) return wire::topic_error(name, verdict);
    try {
      const wire::codec_operations* const codec = wire::find_codec<T>();
      return topic<T>(core_->find_topic(name, detail::type_operations_of<T>, {codec}).name(), codec);
    } catch (const error& why) {
      return why;
    }
  }

  /// Counters of one topic in this process. Thread: any. Throws: as publisher(), at the first use of the topic.
  template <class T>
  [[nodiscard]] topic_counters counters(const topic<T>& of) {
    return find(of).counters();
  }

  /// For the library only.
  [[nodiscard]] const std::shared_ptr<detail::bus_core>& core() const noexcept { return core_; }

 private:
  template <class T>
  detail::topic_core& find(const topic<T>& which) {
    return core_->find_topic(which.name(), detail::type_operations_of<T>,
                             {which.codec(), which.key(), which.retained()});
  }
  template <class T, class Slot, class Callable>
  subscription add(detail::interest to, const subscription_options& options, Callable&& handler) {
    if constexpr (detail::is_filtered<std::decay_t<Callable>, T>) {
      using predicate = decltype(handler.wanted);
      auto filter = std::make_unique<detail::filter_of<T, predicate>>(std::move(handler.wanted));
      return add<T, Slot>(std::move(to), options, std::move(handler.handler), std::move(filter));
    } else {
      return add<T, Slot>(std::move(to), options, std::forward<Callable>(handler), nullptr);
    }
  }
  template <class T, class Slot, class Callable>
  subscription add(detail::interest to, const subscription_options& options, Callable&& handler,
                   std::unique_ptr<detail::message_filter> filter) {
    if (options.on.which() == executor_choice::kind::in_publisher) {
      return add_inline(std::move(to), options,
                        std::make_unique<detail::handler<T, detail::any_slot, std::decay_t<Callable>>>(
                            std::forward<Callable>(handler)),
                        std::move(filter));
    }
    auto box = std::make_shared<detail::mailbox<Slot>>(
        core_, std::move(to), executor_for(options), inbox_name(options), bounds_for<T, Slot>(options),
        std::make_unique<detail::handler<T, Slot, std::decay_t<Callable>>>(std::forward<Callable>(handler)));
    return attach(std::move(box), options, std::move(filter));
  }
  [[nodiscard]] subscription add_inline(detail::interest to, const subscription_options& options,
                                        std::unique_ptr<detail::message_handler> handler,
                                        std::unique_ptr<detail::message_filter> filter);
  [[nodiscard]] std::shared_ptr<detail::executor_core> executor_for(const subscription_options& options);
  /// Subscribes it, or what is to share it with others.
  [[nodiscard]] subscription attach(std::shared_ptr<detail::slot_mailbox> box, const subscription_options& options,
                                    std::unique_ptr<detail::message_filter> filter);
  [[nodiscard]] static std::string subscription_name(const subscription_options& options);
  /// The subscription's, or where several share one inbox, the group's.
  [[nodiscard]] static std::string inbox_name(const subscription_options& options);
  void adopt_executor(const executor_choice& on);
  /// Where coroutines that wait in a receiver go on; null: on the serial executor.
  [[nodiscard]] std::shared_ptr<detail::executor_core> resumes_on(const subscription_options& options);
  void attach_pulled(const std::shared_ptr<detail::mailbox_base>& box, const subscription_options& options);
  template <class T, class Slot>
  [[nodiscard]] static detail::inbox_bounds bounds_for(const subscription_options& options) {
    constexpr bool of_one_size = std::is_same_v<Slot, detail::slot<T>> && !detail::differs_in_size<T>;
    return checked_bounds(options, of_one_size ? detail::bytes_in_inbox<T> : 0);
  }
  /// `bytes`: of each message with its place; 0: they differ.
  [[nodiscard]] static detail::inbox_bounds checked_bounds(const subscription_options& options, std::size_t bytes);

  static constexpr std::size_t cache_size = 64;
  // Trivially destructible and constinit: no guard on the publish path, and usable in static destruction.
  static inline constinit thread_local std::array<detail::cached_outlet, cache_size> cache_{};
  template <class T>
  static inline constinit thread_local detail::cached_outlet last_{};  // of a topic of T

  static constexpr detail::publish_limits as_asked{};
  static constexpr detail::publish_limits at_once{base::duration::zero()};

  // As much a part of a publish in a loop as the publish itself.
  template <class T>
  [[gnu::always_inline]] detail::outlet<T>& outlet_for(const topic<T>& to) {
    const detail::cached_outlet& last = last_<T>;
    const bool known = last.bus == core_->id() && last.name == to.name().data() && detail::current_frame == nullptr;
    return known ? static_cast<detail::outlet<T>&>(*last.outlet) : find_outlet_for(to);
  }
  template <class T>
  [[gnu::noinline]] detail::outlet<T>& find_outlet_for(const topic<T>& to) {
    const char* const name = to.name().data();
    const auto* const type = &detail::type_operations_of<T>;
    if (detail::lane* const lane = detail::current_lane(); lane != nullptr && &lane->core() == core_.get()) {
      return outlet_of(lane->own_source(), to);
    }
    auto& entry = cache_[(reinterpret_cast<std::uintptr_t>(name) / 8 ^ core_->id()) % cache_size];
    if (entry.bus != core_->id() || entry.name != name || entry.type != type) {
      entry = {core_->id(), name, type, &outlet_of(core_->thread_source(), to)};
    }
    last_<T> = entry;
    return static_cast<detail::outlet<T>&>(*entry.outlet);
  }
  template <class T>
  detail::outlet<T>& outlet_of(detail::source& by, const topic<T>& to) {
    const auto* const type = &detail::type_operations_of<T>;
    if (auto* const known = by.find(to.name().data(), type)) return static_cast<detail::outlet<T>&>(*known);
    auto created = find_outlet(by, find(to));
    if (!created) created = std::make_shared<detail::outlet<T>>(*core_, find(to), &by);
    by.outlets.push_back({to.name().data(), type, created});
    return static_cast<detail::outlet<T>&>(*created);
  }
  /// The outlet to the same topic under another address of its name, if there is one: order is kept by name.
  [[nodiscard]] static std::shared_ptr<detail::outlet_base> find_outlet(const detail::source& by,
                                                                        const detail::topic_core& to);

  std::shared_ptr<detail::bus_core> core_;
};

}  // namespace amphibus
#pragma GCC visibility pop
