#pragma once

#include <atomic>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <amphibus/batch.hpp>
#include <amphibus/context.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

class any_message;

namespace detail {

template <class Callable, class T>
concept plain_handler_of = std::is_invocable_v<Callable&, const T&> ||
    std::is_invocable_v<Callable&, const T&, const context&> ||
    (!std::is_same_v<T, any_message> && std::is_invocable_v<Callable&, batch<T>>);

/// A handler with the condition under which a message is for it; see amphibus::filter().
template <class Predicate, class Handler>
struct filtered {
  Predicate wanted;
  Handler handler;
};

template <class Callable, class T>
inline constexpr bool is_filtered = false;
template <class Predicate, class Handler, class T>
inline constexpr bool is_filtered<filtered<Predicate, Handler>, T> =
    !std::is_same_v<T, any_message> && std::is_invocable_r_v<bool, Predicate&, const T&> &&
    plain_handler_of<Handler, T>;

}  // namespace detail

/// A callable that can handle messages of T; which form is chosen in this order. Or one that filter() made.
template <class Callable, class T>
concept handler_of = detail::plain_handler_of<Callable, T> || detail::is_filtered<Callable, T>;

/// A handler that is only given the messages for which `wanted(message)` is true; the others are not even queued for
/// it.
///
/// ```cpp
/// auto large = bus.subscribe(orders, amphibus::filter([](const order_placed& o) { return o.pence > 10'000; },
/// handle));
/// ```
/// `wanted` runs inside the publish, on the publisher's thread, and for messages of other processes on the transport's:
/// for every message of the topic, several publishers at once. So it is quick, free of locks and side effects, and
/// calls nothing of the bus. What it throws counts as a failed handler, and the message is not wanted. What is not
/// wanted takes no place, is counted (`filtered`) and is no loss. Not with `.group`, whose members share one inbox, nor
/// for any_message.
template <class Predicate, class Handler>
[[nodiscard]] detail::filtered<Predicate, Handler> filter(Predicate wanted, Handler handler) {
  return {std::move(wanted), std::move(handler)};
}

namespace detail {

/// The condition of a subscription, without its type.
class message_filter {
 public:
  virtual ~message_filter() = default;
  /// `message`: of the topic's type.
  [[nodiscard]] virtual bool wants(const void* message) = 0;
};

template <class T, class Predicate>
class filter_of final : public message_filter {
 public:
  explicit filter_of(Predicate&& wanted) : wanted_(std::move(wanted)) {}
  [[nodiscard]] bool wants(const void* message) override { return wanted_(*static_cast<const T*>(message)); }

 private:
  Predicate wanted_;
};

/// A callable of any handler form behind one virtual call per run of messages.
class message_handler {
 public:
  virtual ~message_handler() = default;
  /// Handles the first of `slots`, or all `count` of them where it takes batches. They are of the kind that it was made
  /// for.
  virtual void invoke(const void* slots, std::size_t count, frame& here, const context& with) = 0;
  [[nodiscard]] virtual bool takes_batches() const noexcept = 0;
  /// Handles a queue::slot_run of them, `run`, at once. Precondition: takes_batches().
  virtual void invoke_batch(const void* run, frame& here) { static_cast<void>(run), static_cast<void>(here); }
  /// Handles the T at `value`.
  using value_call = void (*)(message_handler& by, const void* value, const context& with);
  /// Null where it may not be given a message by its value alone.
  [[nodiscard]] virtual value_call by_value() const noexcept { return nullptr; }
  /// Handles the first `left` of a queue::slot_run of them, `run`, one after the other, and drops each: the same as
  /// invoke() for each, for one virtual call. `left` says how many are left, also when one throws, which is among them.
  /// Stops before one that has a deadline, and after one that leaves `stop` other than 0: see lane::stop().
  virtual void invoke_each(const void* run, std::size_t& left, frame& here, const context& with,
                           const std::atomic<std::size_t>& stop) {
    static_cast<void>(run), static_cast<void>(left), static_cast<void>(here);
    static_cast<void>(with), static_cast<void>(stop);
  }
};

template <class T>
const T& message_in(const slot<T>& of) noexcept {
  return of.value();
}
template <class T>
const T& message_in(const typename slot<T>::payload_type& of) noexcept {
  return slot<T>::value_in(of);
}
template <class T>
decltype(auto) message_in(const any_slot& of) noexcept {
  if constexpr (std::is_same_v<T, any_message>) {
    return T(of);
  } else {
    return *static_cast<const T*>(of.value());
  }
}

template <class T, class Slot, class Callable>
class handler final : public message_handler {
 public:
  explicit handler(Callable&& callable) : callable_(std::move(callable)) {}

  void invoke(const void* slots, [[maybe_unused]] std::size_t count, [[maybe_unused]] frame& here,
              [[maybe_unused]] const context& with) override {
    const Slot* const messages = static_cast<const Slot*>(slots);
    if constexpr (std::is_invocable_v<Callable&, const T&>) {
      callable_(message_in<T>(*messages));
    } else if constexpr (std::is_invocable_v<Callable&, const T&, const context&>) {
      callable_(message_in<T>(*messages), with);
    } else {
      const queue::slot_run<Slot> all(messages, count);
      invoke_batch(&all, here);
    }
  }
  [[nodiscard]] bool takes_batches() const noexcept override { return batches; }
  void invoke_batch([[maybe_unused]] const void* run, [[maybe_unused]] frame& here) override {
    if constexpr (batches) callable_(batch<T>(*static_cast<const queue::slot_run<Slot>*>(run), here));
  }
  [[nodiscard]] value_call by_value() const noexcept override {
    if constexpr (batches || std::is_same_v<T, any_message>) return nullptr;
    return [](message_handler& by, [[maybe_unused]] const void* value, [[maybe_unused]] const context& with) {
      [[maybe_unused]] Callable& callable = static_cast<handler&>(by).callable_;
      if constexpr (std::is_invocable_v<Callable&, const T&>) {
        callable(*static_cast<const T*>(value));
      } else if constexpr (std::is_invocable_v<Callable&, const T&, const context&>) {
        callable(*static_cast<const T*>(value), with);
      }
    };
  }

  void invoke_each([[maybe_unused]] const void* run, [[maybe_unused]] std::size_t& left, [[maybe_unused]] frame& here,
                   [[maybe_unused]] const context& with,
                   [[maybe_unused]] const std::atomic<std::size_t>& stop) override {
    if constexpr (!batches) {
      queue::slot_run<Slot> rest = *static_cast<const queue::slot_run<Slot>*>(run);
      rest.count = left;
      queue::returning_blocks done_with;
      for (bool stopped = false; rest && !stopped;) {
        const identity_word first = rest.identity(0);
        if (first.deadline() != base::time_point::max()) [[unlikely]]
          break;
        auto now = rest.take_sequence();
        const left_over says{now.count, rest.count, left};
        do {
          here.message = now.identity;
          if constexpr (std::is_same_v<Slot, any_slot>) here.topic = now.payload().topic;
          if constexpr (std::is_invocable_v<Callable&, const T&>) {
            callable_(message_in<T>(now.payload()));
          } else {
            callable_(message_in<T>(now.payload()), with);
          }
          Slot::drop_payload(now.payload(), done_with);
          now.drop_first();
          stopped = stop.load(std::memory_order_relaxed) != 0;
        } while (now && !stopped);
        first.drop_reference();  // after the payload, whose destructor may publish; nothing where it stood for several
      }
    }
  }

 private:
  static constexpr bool batches =
      !std::is_invocable_v<Callable&, const T&> && !std::is_invocable_v<Callable&, const T&, const context&>;
  /// Says how many are left, also when one throws.
  struct left_over {
    const std::size_t& now;
    const std::size_t& later;
    std::size_t& left;
    ~left_over() { left = now + later; }
  };
  Callable callable_;
};

}  // namespace detail
}  // namespace amphibus
#pragma GCC visibility pop
