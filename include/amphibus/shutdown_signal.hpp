#pragma once

namespace amphibus {

/// Blocks until SIGINT or SIGTERM arrives, for a main() without amphibus::app.
///
/// ```cpp
/// amphibus::bus bus;
/// … subscribe, start feeding …
/// amphibus::wait_for_shutdown_signal();
/// const auto report = bus.close();
/// ```
/// Whichever thread the system picks, the signal ends the wait only; the next one has the action that it had before the
/// call, so a second Ctrl-C ends a process whose close takes too long. Signals before the call act as usual: call it
/// early, and do the work on other threads. Returns: the signal. Thread: one at a time (asserts).
int wait_for_shutdown_signal();

}  // namespace amphibus
