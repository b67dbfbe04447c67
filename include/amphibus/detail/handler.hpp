#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <amphibus/batch.hpp>
#include <amphibus/context.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

class any_message;

/// A callable that can handle messages of T; which form is chosen in this order.
template <class Callable, class T>
concept handler_of = std::is_invocable_v<Callable&, const T&> ||
    std::is_invocable_v<Callable&, const T&, const context&> ||
    (!std::is_same_v<T, any_message> && std::is_invocable_v<Callable&, batch<T>>);

namespace detail {

/// A callable of any handler form behind one virtual call per message (measured: no slower than one per batch), or per
/// run of messages where it takes batches.
class message_handler {
 public:
  virtual ~message_handler() = default;
  /// Handles the first of `slots`, or all `count` of them where it takes batches. They are of the kind that it was made
  /// for.
  virtual void invoke(const void* slots, std::size_t count, frame& here, const context& with) = 0;
  [[nodiscard]] virtual bool takes_batches() const noexcept = 0;
};

template <class T>
const T& message_in(const slot<T>& of) noexcept {
  return of.value();
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
      callable_(batch<T>(messages, count, here));
    }
  }
  [[nodiscard]] bool takes_batches() const noexcept override {
    return !std::is_invocable_v<Callable&, const T&> && !std::is_invocable_v<Callable&, const T&, const context&>;
  }

 private:
  Callable callable_;
};

}  // namespace detail
}  // namespace amphibus
#pragma GCC visibility pop
