#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/executor.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

namespace detail {
class posting_core;
}

/// One subscription's turn: up to 256 of its messages. Called once, on any thread; what is never called is not handled.
/// Thread: confined, may be moved to any. Lifetime: may outlive the bus, and then does nothing.
class turn {
 public:
  void operator()() noexcept;

  /// For the library only.
  turn(std::shared_ptr<detail::posting_core> by, std::shared_ptr<detail::mailbox_base> who) noexcept;

 private:
  std::shared_ptr<detail::posting_core> by_;
  std::shared_ptr<detail::mailbox_base> who_;
};

namespace detail {
[[nodiscard]] std::shared_ptr<executor_core> make_posting_core(std::unique_ptr<callback<turn>> post);
}

/// An executor of yours: whatever becomes ready is posted to it, one turn after the other.
///
/// ```cpp
/// amphibus::posting_executor there([](amphibus::turn next) { io.post(std::move(next)); });   // or asio::post(io, …)
/// auto sub = bus.subscribe(orders, {.on = there}, handle);
/// ```
/// `post` is called inside publishes, on any thread and on several at once: it queues the turn and returns, calls
/// neither the turn nor the bus, and throws nothing (that terminates). Handlers of one subscription never overlap;
/// those of several do as far as your executor runs several turns at once. Use `loop` where you have a descriptor to
/// watch, a pool where the threads may be the bus's. Thread: const-safe, a handle. Lifetime: what `post` refers to
/// outlives the subscriptions.
class posting_executor {
 public:
  template <std::invocable<turn> Callable>
  explicit posting_executor(Callable post)
      : core_(detail::make_posting_core(std::make_unique<detail::callback_to<turn, Callable>>(std::move(post)))) {}

  // NOLINTNEXTLINE(google-explicit-constructor): reads as .on = there
  operator executor_choice() const { return executor_choice(core_); }

 private:
  std::shared_ptr<detail::executor_core> core_;
};

}  // namespace amphibus
#pragma GCC visibility pop
