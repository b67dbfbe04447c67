#pragma once

#pragma GCC visibility push(default)
namespace amphibus {

/// Catches SIGINT and SIGTERM from its construction on, for a main() without amphibus::app.
///
/// ```cpp
/// int main() {
///   amphibus::shutdown_signal stop;             // first, so that a signal during the start is not lost
///   amphibus::bus bus;
///   auto sub = bus.subscribe(orders, handle);   // feed on other threads
///   stop.wait();
///   return bus.close().complete() ? 0 : 1;
/// }
/// ```
/// The first signal is caught, whichever thread the system picks for it. With it, and at the latest with the
/// destructor, both signals have the action again that they had before: a second Ctrl-C ends a process whose close
/// takes too long; so may a second signal that comes together with the first. In a child of fork() nothing is caught.
/// Thread: made and destroyed on one thread; the rest is const-safe. Lifetime: one at a time in a process.
class shutdown_signal {
 public:
  /// Lets this thread take both signals until the destructor, even if they were blocked.
  /// Throws: error (signals_taken: another one exists; out_of_descriptors).
  shutdown_signal();
  shutdown_signal(const shutdown_signal&) = delete;
  shutdown_signal& operator=(const shutdown_signal&) = delete;
  /// Nobody may be in wait() any more.
  ~shutdown_signal();

  /// Returns when a signal was caught, at once if one was: SIGINT or SIGTERM. Any number of threads may wait.
  int wait() const noexcept;
  /// The signal that was caught, or 0. Never waits.
  [[nodiscard]] int caught() const noexcept;
  /// Readable from the first signal on, for poll(), epoll or Asio. Do not read it.
  [[nodiscard]] int fd() const noexcept;
};

/// Catches SIGINT and SIGTERM for the length of the call. Signals before it act as usual: where that matters, make a
/// shutdown_signal first in main(). Returns: the signal. Throws: as shutdown_signal's constructor.
int wait_for_shutdown_signal();

}  // namespace amphibus
#pragma GCC visibility pop
