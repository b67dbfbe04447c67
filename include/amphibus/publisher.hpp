#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/outlet.hpp>
#include <amphibus/status.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

template <class T>
class publisher;

/// What a publisher can choose. Thread: const-safe.
struct publisher_options {
  /// Upper bound of what one publish may wait, whatever subscribers ask; 0: never, so that no subscriber can stall a
  /// real-time thread. In a handler: how long a message may be held back before it becomes undeliverable.
  base::duration wait_max = base::duration::max();
};

/// A message under construction in the very memory that its receivers will read.
///
/// ```cpp
/// auto out = bus.publisher(orders);
/// auto next = out.loan();
/// next->pence = 1999;
/// next.publish();
/// ```
/// Worth it for messages of many kilobytes; one that travels inside the queue's slot is copied all the same. Thread:
/// confined, the publisher's. Lifetime: not beyond its publisher; one that is not published is given back.
template <class T>
class loan {
 public:
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;
  ~loan() {
    if (block_ != nullptr) detail::destroy_block<T>(block_);
  }

  /// Precondition: not published (asserts).
  [[nodiscard]] T& operator*() noexcept {
    AMPHIBUS_ASSERT(block_ != nullptr, "a loan that is published belongs to its receivers");
    return block_->value();
  }
  [[nodiscard]] T* operator->() noexcept { return &**this; }

  /// As publisher::publish. Returns: accepted, and the message belongs to its receivers; else it stays here, and
  /// repeating is safe. Precondition: not published (asserts).
  publish_status publish() { return publish_within(limits_); }
  [[nodiscard]] publish_status try_publish() { return publish_within({base::duration::zero()}); }

 private:
  friend class publisher<T>;
  template <class... Arguments>
  loan(detail::outlet<T>& to, const detail::publish_limits& limits, Arguments&&... arguments)
      : outlet_(to), limits_(limits), block_(to.loan_block(std::forward<Arguments>(arguments)...)) {}
  publish_status publish_within(const detail::publish_limits& limits) {
    AMPHIBUS_ASSERT(block_ != nullptr, "a loan is published once");
    if constexpr (detail::travels_inline<T>) {
      const publish_status answer = outlet_.publish(std::as_const(block_->value()), limits);
      if (answer == publish_status::accepted) detail::destroy_block<T>(std::exchange(block_, nullptr));
      return answer;
    } else {
      return outlet_.publish_loaned(block_, limits);
    }
  }

  detail::outlet<T>& outlet_;
  const detail::publish_limits limits_;
  detail::value_block<T>* block_;
};

/// The fast way to publish on one topic: a source of its own, owned by one thread.
///
/// ```cpp
/// auto out = bus.publisher(orders);
/// for (int id = 1; id <= 1000; ++id) out.publish({.id = id, .pence = 100});
/// ```
/// Use it in loops and hot paths; bus::publish for the occasional message from anywhere.
/// Order: FIFO per publisher to every subscription. Thread: confined; move it to hand it over, and not to another
/// thread while a publish of it runs: a handler with `.on = inline_` that uses it does so on its own thread. Lifetime:
/// may outlive the bus; then publish answers closed. One that was moved from may only be assigned to or destroyed.
template <class T>
class publisher {
 public:
  publisher(publisher&&) noexcept = default;
  publisher& operator=(publisher&& other) noexcept {
    publisher ending(std::move(other));
    core_.swap(ending.core_);
    outlet_.swap(ending.outlet_);
    limits_ = ending.limits_;
    return *this;
  }

  /// Publishes to everybody who wants the topic, or to nobody.
  ///
  /// Waits where a subscription or route asks `block` and has no room, at most its timeout and wait_max; inside a
  /// handler it never waits: what does not fit is held with the running message and answers accepted.
  ///
  /// Returns:   accepted; no_subscribers (nobody wants the topic); would_block (no room in time, none at somebody with
  ///            overflow::fail, or a handler holds 1024 messages already; nobody got it); too_large (key or headers);
  ///            closed. Unless it is accepted `value` is untouched.
  /// Allocates: never in the steady state.   Throws: only what copying T throws; nobody got it then.
  /// A move of T must not throw, nor end the memory: where the message has to wait that ends the program.
  [[gnu::always_inline]] publish_status publish(T&& value) { return outlet_->publish(value, limits_); }
  /// The same with a copy: the only one that is made, however many receive it.
  [[gnu::always_inline]] publish_status publish(const T& value) requires std::copy_constructible<T> {
    return outlet_->publish(value, limits_);
  }
  publish_status publish(T value, const publish_options& with) { return outlet_->publish(value, limits_, with); }
  /// The same, but never waits and holds nothing: would_block if somebody who blocks has no room.
  [[nodiscard, gnu::always_inline]] publish_status try_publish(T&& value) {
    return outlet_->publish(value, never_waits);
  }
  [[nodiscard, gnu::always_inline]] publish_status try_publish(const T& value) requires std::copy_constructible<T> {
    return outlet_->publish(value, never_waits);
  }
  [[nodiscard]] publish_status try_publish(T value, const publish_options& with) {
    return outlet_->publish(value, never_waits, with);
  }

  /// Publishes `values` in order until one is not accepted. Copies; of a std::span<T>, and only of that, it moves from
  /// those that are accepted. Waits as publish, anew for each message, so a batch may wait many times wait_max.
  /// Each message is all-or-nothing over its receivers, the batch is not. Returns: how many, and what stopped it: any
  /// answer of publish but too_large. Of none it is accepted.
  template <std::same_as<std::span<T>> Span>
  batch_status publish_batch(Span values) {
    return outlet_->publish_batch(values, limits_);
  }
  batch_status publish_batch(std::span<const T> values) requires std::copy_constructible<T> {
    return outlet_->publish_batch(values, limits_);
  }

  /// Calls `callback` once after each would_block, when there is room again: a hint to try again, not a reservation.
  ///
  /// ```cpp
  /// std::binary_semaphore room{0};
  /// auto out = bus.publisher(orders);
  /// out.on_writable([&] { room.release(); });
  /// while (out.try_publish({.id = 1, .pence = 100}) == amphibus::publish_status::would_block) room.acquire();
  /// ```
  /// Several refusals may share a call. It comes too when who refused ended: the next publish answers something else
  /// then. It never comes after an answer other than would_block, once the bus is closed, or while nobody runs the loop
  /// that a bus has as its serial executor. It runs on the bus's serial executor, never overlapping its handlers, and
  /// must not use this publisher unless that is the publisher's thread; a publish inside never waits. Replaces the one
  /// before. What it throws is told as a failed handler (event handler_failed).
  template <std::invocable Callable>
  void on_writable(Callable callback) {
    outlet_->on_writable(std::make_unique<detail::action_of<Callable>>(std::move(callback)));
  }

  /// A message that is built where it will lie, T(arguments…): no copy of a large one. See amphibus::loan. Never waits,
  /// never refuses: the answer comes with loan::publish. Throws: what T's constructor throws.
  template <class... Arguments>
  [[nodiscard]] amphibus::loan<T> loan(Arguments&&... arguments) {
    return amphibus::loan<T>(*outlet_, limits_, std::forward<Arguments>(arguments)...);
  }

  /// For the library only.
  publisher(std::shared_ptr<detail::bus_core> core, detail::topic_core& to, const publisher_options& options)
      : core_(std::move(core)), outlet_(std::make_shared<detail::outlet<T>>(*core_, to)), limits_{options.wait_max} {}

 private:
  static constexpr detail::publish_limits never_waits{base::duration::zero()};
  std::shared_ptr<detail::bus_core> core_;  // first: everything below refers to it
  std::shared_ptr<detail::outlet<T>> outlet_;
  detail::publish_limits limits_;
};

}  // namespace amphibus
#pragma GCC visibility pop
