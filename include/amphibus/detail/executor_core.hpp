#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/parker.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class mailbox_base;

/// Runs the handlers of the mailboxes attached to it, one at a time, in one thread (a pool: in several).
///
/// Only mailboxes that got something since the last sleep are looked at. Before sleeping each of them stops promising
/// to look, one heavy barrier makes that visible, and a last look decides: so a publisher to an awake executor pays one
/// load. Thread: ready/poke/stop from any; the passes from the one thread that runs it.
class executor_core {
 public:
  explicit executor_core(std::string name);
  executor_core(const executor_core&) = delete;
  executor_core& operator=(const executor_core&) = delete;
  virtual ~executor_core();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// A mailbox got its first message since it was left alone.
  virtual void ready(std::shared_ptr<mailbox_base> who);
  /// Makes a sleeping executor look around once.
  virtual void poke() noexcept = 0;
  /// Ends the thread after the handler that runs; no-op for a loop.
  virtual void stop() noexcept {}
  /// Nobody runs it any more: drops its mailboxes, which own it, and takes no others. Precondition: no pass is running.
  void abandon() noexcept;
  /// Waits for the end of the thread. Returns: false if called on that very thread, which cannot wait for itself.
  virtual bool join() { return true; }

 protected:
  /// Runs every mailbox once. Returns: how many messages were handled.
  std::size_t pass();
  /// True if none of its mailboxes that refuse when full would be full of so many messages.
  [[nodiscard]] bool leaves_room_for(std::size_t messages) const;
  /// Leaves all mailboxes alone that are empty. Returns: true if nothing is left and nothing arrived: sleep now.
  bool prepare_to_sleep();
  /// When the sleep must end although nothing arrives: a held message reaches its deadline.
  [[nodiscard]] base::time_point sleep_deadline() const;

 private:
  bool take_arrivals();

  const std::string name_;
  std::atomic<bool> has_arrivals_{false};
  std::mutex arrivals_mutex_;
  std::vector<std::shared_ptr<mailbox_base>> arrivals_;
  bool abandoned_ = false;                             // guarded by arrivals_mutex_
  std::vector<std::shared_ptr<mailbox_base>> active_;  // the running thread's
};

class loop_executor;

}  // namespace amphibus::detail
#pragma GCC visibility pop
