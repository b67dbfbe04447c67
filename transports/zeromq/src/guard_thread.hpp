#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "connection_guard.hpp"
#include "event_waker.hpp"

namespace amphibus::zeromq {

/// Drives the guards of sockets that only publish.
///
/// Not the I/O thread, because it may be held by the very socket that is flooded: whenever it asks anything of an XPUB,
/// libzmq takes in subscriptions until there is none, at 6 KB for each of 200 bytes.
/// Thread: its own. Lifetime: before the sockets end.
class guard_thread {
 public:
  /// `on_cut` is called on the guards' thread with the number of connections.
  guard_thread(std::vector<std::unique_ptr<connection_guard>> guards, base::clock& clock,
               std::function<void(std::size_t)> on_cut);
  ~guard_thread();
  guard_thread(const guard_thread&) = delete;
  guard_thread& operator=(const guard_thread&) = delete;

  [[nodiscard]] connection_guard& guard(std::size_t index) const { return *guards_[index]; }

 private:
  void run();
  void sleep();

  const std::vector<std::unique_ptr<connection_guard>> guards_;
  base::clock& clock_;
  const std::function<void(std::size_t)> on_cut_;
  event_waker waker_;
  std::atomic<bool> stop_requested_{false};
  std::thread thread_;
};

/// Adds what a poll has to watch for this guard.
void watch_guard(connection_guard& guard, std::vector<zmq::pollitem_t>& watched);
[[nodiscard]] base::duration time_left(base::time_point timer, const base::clock& clock);
/// As a poll wants it: whole milliseconds, -1 for ever.
[[nodiscard]] std::chrono::milliseconds poll_time(base::duration left);

}  // namespace amphibus::zeromq
