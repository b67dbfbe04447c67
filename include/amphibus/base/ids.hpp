#pragma once

#include <compare>
#include <cstdint>
#include <string>

#pragma GCC visibility push(default)
namespace amphibus {

/// Who published: one publisher handle, one handler, or one thread of one bus. Order is kept per source and topic.
/// Thread: const-safe.
struct source_id {
  std::uint64_t origin = 0;  ///< incarnation of the bus: random per bus, 0 = none
  std::uint64_t index = 0;   ///< number of the source within that bus, from 1

  friend auto operator<=>(const source_id&, const source_id&) = default;
};

/// Identity of one message, unique over all processes: source and the source's own count. Thread: const-safe.
struct message_id {
  source_id source;
  std::uint64_t sequence = 0;  ///< from 1 per source; 0 = no message

  /// False for "there is none", e.g. the causation of a message that no handler published.
  explicit operator bool() const noexcept { return sequence != 0; }
  friend auto operator<=>(const message_id&, const message_id&) = default;
};

/// `00c0ffee00c0ffee/12` (origin in hex, index in decimal).
std::string to_string(const source_id& id);
/// `00c0ffee00c0ffee/12/345`; `-` for no message.
std::string to_string(const message_id& id);

namespace base {

/// 64 random bits from the system, never 0: incarnations must differ after a restart within the same clock tick.
std::uint64_t random_nonzero();

}  // namespace base
}  // namespace amphibus
#pragma GCC visibility pop
