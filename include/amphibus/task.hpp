#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

#include <amphibus/detail/task_state.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

namespace detail {
template <class T>
class next_wait;
}

/// A coroutine that reads receivers, and its end.
///
/// ```cpp
/// amphibus::task check(amphibus::receiver<order_placed> in, amphibus::publisher<order_placed> out) {
///   while (auto next = co_await in.next()) {
///     if ((*next)->pence > 0) out.publish(**next);
///   }
/// }
/// constexpr amphibus::topic<order_placed> checked{"shop.orders.checked"};
/// amphibus::task checking = check(bus.receiver(orders), bus.publisher(checked));
/// ```
/// It begins at once, on the thread that calls it; after a `co_await in.next()` it is on the executor of that receiver.
/// What it holds is destroyed when it has finished. Its end is an end: the destructor returns when the coroutine does
/// not run, will not go on, and everything in it is destroyed, wherever it waits. Called by the coroutine itself it
/// returns at once, and that happens at the next co_await. Two tasks that end each other at the same time wait for
/// ever. An exception that leaves it ends it and is kept in failure(); after the first wait it is also reported, as
/// handler_failed of the receiver that it waited for. It can await receivers only; for everything else bring a
/// coroutine type of your own, see receiver::next(). Thread: confined; the destructor from any. Lifetime: may outlive
/// the bus. What it refers to, parameters by reference included, has to outlive it. Allocates once, for the coroutine,
/// never per message.
class [[nodiscard]] task {
 public:
  struct promise_type {
    std::shared_ptr<detail::task_state> state =
        std::make_shared<detail::task_state>(std::coroutine_handle<promise_type>::from_promise(*this));

    task get_return_object() noexcept { return task(state); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct last : std::suspend_always {
        bool is_ready;
        [[nodiscard]] bool await_ready() const noexcept { return is_ready; }
      };
      return last{{}, state->finish()};
    }
    void return_void() noexcept {}
    // Rethrown it would reach the caller of the first part, but GCC 12 destroys the frame twice then.
    void unhandled_exception() noexcept { state->fail(std::current_exception()); }
    template <class T>
    detail::next_wait<T> await_transform(detail::next_wait<T> what) noexcept {
      what.set_owner(state);
      return what;
    }
  };

  task(task&&) noexcept = default;
  /// Ends the one that it holds.
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      end();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~task() { end(); }

  /// Ends it, as the destructor does. Idempotent.
  void end() noexcept {
    if (const auto ending = std::exchange(state_, nullptr)) ending->end();
  }
  /// True once it returned or threw; false for one that ended or was moved from. Thread: any.
  [[nodiscard]] bool finished() const noexcept { return state_ && state_->finished(); }
  /// The exception that ended it; null if none did. Thread: any.
  [[nodiscard]] std::exception_ptr failure() const noexcept { return state_ ? state_->failure() : nullptr; }

 private:
  explicit task(std::shared_ptr<detail::task_state> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::task_state> state_;
};

}  // namespace amphibus
#pragma GCC visibility pop
