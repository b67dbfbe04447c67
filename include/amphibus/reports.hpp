#pragma once

#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace amphibus {

/// How a drain or a close ended.
enum class drain_status : std::uint8_t {
  complete,             ///< nothing is left
  deadline,             ///< the deadline passed; `left` says what is left
  called_from_handler,  ///< refused: the handler's own message would never be finished
};

/// Messages that are accepted and not finished: queued, in a handler's hand, held back by one, or kept. After a drain
/// they are handled all the same, so that draining again is safe; after a close they are gone. Thread: const-safe.
struct left_over {
  std::string topic;         ///< empty for an egress
  std::string subscription;  ///< its name, or the name of the route
  std::uint64_t count = 0;
};

/// Answer of bus::drain(). Thread: const-safe.
struct drain_report {
  drain_status status = drain_status::complete;
  std::vector<left_over> left;
  [[nodiscard]] bool complete() const noexcept { return status == drain_status::complete; }
};

/// Answer of bus::close(). Thread: const-safe.
struct close_report {
  drain_status status = drain_status::complete;
  std::vector<left_over> left;            ///< at the deadline; what no handler finished since was dropped
  std::vector<std::string> silent_peers;  ///< processes that did not confirm the goodbye
  [[nodiscard]] bool complete() const noexcept;
};

/// `complete`, or `deadline: billing on shop.orders has 12, …`.
std::string to_string(const drain_report& report);
std::string to_string(const close_report& report);

}  // namespace amphibus
#pragma GCC visibility pop
