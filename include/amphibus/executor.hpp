#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <amphibus/detail/executor_core.hpp>
#include <amphibus/pool.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// An executor that you run: handlers of its subscriptions run only inside run_once and run_until_idle, on your thread.
///
/// ```cpp
/// amphibus::loop here;
/// auto sub = bus.subscribe(orders, {.on = here}, handle);
/// pollfd watched{here.fd(), POLLIN, 0};
/// while (::poll(&watched, 1, -1) == 1) here.run_once();
/// ```
/// Use it to join a bus to an event loop or a game's frame; use the default executor where a thread of its own is fine.
/// Thread: run_once and run_until_idle from one thread at a time, and not inside a handler that it runs (both assert);
/// fd from any. Lifetime: may end before its subscriptions, but not inside one of their handlers; their messages then
/// wait until the subscription ends.
class loop {
 public:
  /// Throws: error (out_of_descriptors).
  loop();
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Readable (level-triggered) while there is something to do. Do not read it. Valid as long as the loop.
  [[nodiscard]] int fd() const noexcept;
  /// Handles up to 256 messages per subscription. Returns: how many. Never waits.
  std::size_t run_once();
  /// Handles messages until none is left, cascades included. Returns: how many. Never waits.
  std::size_t run_until_idle();

 private:
  friend class executor_choice;
  std::shared_ptr<detail::loop_executor> core_;
};

/// Value of subscription_options::on: `serial`, `dedicated`, `inline_`, a loop, a pool or a posting_executor.
///
/// Thread: const-safe, a value. Lifetime: holds what it names but does not run it: a loop that ended and a pool whose
/// bus closed handle nothing more.
class executor_choice {
 public:
  /// `given`: a loop, a pool or a posting_executor.
  enum class kind : unsigned char { serial, dedicated, in_publisher, given };
  constexpr executor_choice() noexcept = default;
  // NOLINTBEGIN(google-explicit-constructor): reads as .on = serial
  constexpr executor_choice(kind which) noexcept : kind_(which) {}
  executor_choice(const amphibus::loop& here);
  executor_choice(const amphibus::pool& threads);

  [[nodiscard]] kind which() const noexcept { return kind_; }

  /// For the library only.
  executor_choice(std::shared_ptr<detail::executor_core> core);
  // NOLINTEND(google-explicit-constructor)
  [[nodiscard]] const std::shared_ptr<detail::executor_core>& core() const noexcept { return given_; }

 private:
  kind kind_ = kind::serial;
  std::shared_ptr<detail::executor_core> given_;
};

/// The one thread of the module, outside modules of the bus: its handlers never overlap. The default.
inline constexpr executor_choice::kind serial = executor_choice::kind::serial;
/// A thread for this subscription alone, named after it; it ends with the subscription.
inline constexpr executor_choice::kind dedicated = executor_choice::kind::dedicated;
/// In the publish itself, on the publisher's thread: the handler is called before publish returns, after the message
/// lies in every inbox. Concurrent publishers call concurrently. No capacity and no overflow: naming them is an error.
/// What it publishes belongs to the source that called it, and waits like it. Messages from other processes have no
/// publisher here: the bus's serial executor stands in.
inline constexpr executor_choice::kind inline_ = executor_choice::kind::in_publisher;

}  // namespace amphibus
#pragma GCC visibility pop
