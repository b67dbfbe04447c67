#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <amphibus/base/time.hpp>
#include <amphibus/detail/executor_core.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// What a pool can choose. Thread: const-safe.
struct pool_options {
  std::size_t threads = 2;     ///< 1 to 256
  std::vector<int> cpus = {};  ///< where its threads may run; empty: anywhere
  /// How long an idle thread looks for work before it sleeps; longer answers faster and costs a core. Up to 1 s.
  base::duration spin = base::duration::zero();
  std::size_t priorities = 1;  ///< how many there are, 1 to 16: subscription_options::priority is below it
  /// Starvation bound: a subscription that is ready waits for at most so many turns of higher priorities, and one more
  /// for each priority that waits as long. 1 to 1,000,000.
  std::size_t passed_over_max = 16;

  friend bool operator==(const pool_options& a, const pool_options& b);
};

/// A named set of threads that run handlers of many subscriptions; made by bus::pool().
///
/// ```cpp
/// auto workers = bus.pool("workers", {.threads = 4});
/// auto sub = bus.subscribe(orders, {.on = workers}, handle);
/// ```
/// Handlers of one subscription never overlap and keep their order, whatever thread runs them, unless it asks for
/// `.concurrency`; those of different subscriptions run at the same time, so what they share needs a lock. Ready
/// subscriptions take turns, up to 256 messages each; with `.priorities` those of a higher one first. Use `serial`
/// where handlers share state, `dedicated` where one must never wait for another. Thread: const-safe, a handle.
/// Lifetime: may outlive its bus, but its threads end when that bus closes; what is subscribed with it elsewhere is not
/// handled from then on.
class pool {
 public:
  /// As given to bus::pool(); its threads are `NAME-0`, `NAME-1` …
  [[nodiscard]] const std::string& name() const noexcept;

  /// For the library only.
  explicit pool(std::shared_ptr<detail::executor_core> core) noexcept;

 private:
  friend class executor_choice;
  std::shared_ptr<detail::executor_core> core_;
};

}  // namespace amphibus
#pragma GCC visibility pop
