#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/outlet.hpp>
#include <amphibus/status.hpp>

namespace amphibus {

template <class T>
class publisher;

/// What a publisher can choose.
struct publisher_options {
  /// Upper bound of what one publish may wait, whatever subscribers ask; 0: never, so that no subscriber can stall a
  /// real-time thread. In a handler: how long a message may be held back before it becomes undeliverable.
  base::duration wait_max = base::duration::max();
};

/// A message under construction in the very memory that its receivers will read.
///
/// ```cpp
/// auto frame = out.loan();
/// camera.read_into(frame->pixels);
/// frame.publish();
/// ```
/// Worth it for messages of many kilobytes. Thread: confined, the publisher's. Lifetime: not beyond its publisher; one
/// that is not published is given back.
template <class T>
class loan {
 public:
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;
  ~loan() {
    if (block_ != nullptr) detail::destroy_block<T>(block_);
  }

  /// Precondition: not published.
  [[nodiscard]] T& operator*() noexcept {
    AMPHIBUS_ASSERT(block_ != nullptr, "a loan that is published belongs to its receivers");
    return block_->value();
  }
  [[nodiscard]] T* operator->() noexcept { return &**this; }

  /// As publisher::publish. Unless accepted the message stays here, and repeating is safe.
  publish_status publish() { return publish_within(limits_); }
  [[nodiscard]] publish_status try_publish() { return publish_within({base::duration::zero()}); }

 private:
  friend class publisher<T>;
  template <class... Arguments>
  loan(detail::outlet<T>& to, const detail::publish_limits& limits, Arguments&&... arguments)
      : outlet_(to), limits_(limits), block_(to.take_block()) {
    try {
      ::new (static_cast<void*>(block_->storage)) T(std::forward<Arguments>(arguments)...);
    } catch (...) {
      queue::block_pool::give_back(block_);
      throw;
    }
  }
  publish_status publish_within(const detail::publish_limits& limits) {
    AMPHIBUS_ASSERT(block_ != nullptr, "a loan is published once");
    if constexpr (detail::travels_inline<T>) {
      const publish_status answer = outlet_.publish(T(block_->value()), limits);
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
/// Use it in loops and hot paths; bus::publish for the occasional message from anywhere.
/// Order: FIFO per publisher to every subscription. Thread: confined; move it to hand it over. Lifetime: may outlive
/// the bus; then publish answers closed.
template <class T>
class publisher {
 public:
  publisher(publisher&&) noexcept = default;
  publisher& operator=(publisher&& other) noexcept {
    publisher ending(std::move(other));
    std::swap(core_, ending.core_);
    std::swap(source_, ending.source_);
    std::swap(outlet_, ending.outlet_);
    std::swap(limits_, ending.limits_);
    return *this;
  }

  /// Publishes to everybody who wants the topic, or to nobody.
  ///
  /// Waits where a subscription or route asks `block` and has no room, at most its timeout and wait_max; inside a
  /// handler it never waits: what does not fit is held with the running message and answers accepted. Returns: see
  /// publish_status. Allocates: never in the steady state. Throws: only what moving T throws.
  publish_status publish(T value, const publish_options& with = {}) {
    return outlet_->publish(std::move(value), limits_, with);
  }
  /// The same, but never waits and holds nothing: would_block if somebody who blocks has no room.
  [[nodiscard]] publish_status try_publish(T value, const publish_options& with = {}) {
    return outlet_->publish(std::move(value), {base::duration::zero()}, with);
  }

  /// Publishes `values` in order until one is not accepted. Copies; of a std::span<T>, and only of that, it moves from
  /// those that are accepted. Waits like publish, for each message.
  /// Each message is all-or-nothing over its receivers, the batch is not. Returns: how many, and what stopped it.
  template <std::same_as<std::span<T>> Span>
  batch_status publish_batch(Span values) {
    return outlet_->publish_batch(values, limits_);
  }
  batch_status publish_batch(std::span<const T> values) requires std::copy_constructible<T> {
    return outlet_->publish_batch(values, limits_);
  }

  /// Calls `callback` once after each would_block, when there is room again: a hint to try again, not a reservation.
  ///
  /// It runs on the bus's serial executor, never overlapping its handlers, and must not use this publisher unless that
  /// is the publisher's thread; a publish inside never waits. Typically it wakes the thread that publishes. Replaces
  /// the one before. What it throws is counted as a failed handler.
  template <std::invocable Callable>
  void on_writable(Callable callback) {
    outlet_->on_writable(std::make_unique<detail::action_of<Callable>>(std::move(callback)));
  }

  /// A message that is built where it will lie: no copy of a large one. See loan. Throws: what T's constructor throws.
  template <class... Arguments>
  [[nodiscard]] amphibus::loan<T> loan(Arguments&&... arguments) {
    return amphibus::loan<T>(*outlet_, limits_, std::forward<Arguments>(arguments)...);
  }

  /// For the library only.
  publisher(std::shared_ptr<detail::bus_core> core, detail::topic_core& to, const publisher_options& options)
      : core_(std::move(core)),
        source_(std::make_unique<detail::source_state>()),
        outlet_(std::make_shared<detail::outlet<T>>(*core_, to, *source_)),
        limits_{options.wait_max} {}

 private:
  std::shared_ptr<detail::bus_core> core_;  // first: everything below refers to it
  std::unique_ptr<detail::source_state> source_;
  std::shared_ptr<detail::outlet<T>> outlet_;
  detail::publish_limits limits_;
};

}  // namespace amphibus
