#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/error.hpp>

/// Every combination of what a subscription can choose, as data: docs/combinations.md prints it, walk.hpp tries it.
///
/// A new axis is one more enumeration, one more member of cell, and one more look at it in expected().
namespace combinations {

enum class overflow_choice : std::uint8_t { block, fail, drop_newest, drop_oldest, latest };
enum class runner : std::uint8_t { serial, dedicated, pool, loop, in_publisher, nobody };
enum class handler_form : std::uint8_t { message, message_and_context, batch, coroutine, receiver };
/// Who else takes from its inbox: nobody, the members of a group, or further handlers of the same subscription.
enum class sharing : std::uint8_t { alone, group, lanes };
enum class way : std::uint8_t { in_the_process, zeromq };

/// Nobody runs a receiver that a thread pulls, and it has no handler: those two values belong to each other.
struct cell {
  overflow_choice overflow{};
  runner on{};
  handler_form form{};
  way over{};
  sharing with{};
};

/// What the message does that finds every place taken.
enum class fullness : std::uint8_t {
  waits,              ///< the publish waits for room, then answers would_block: nobody has the message
  refuses,            ///< the publish answers would_block at once: nobody has the message
  waits_at_border,    ///< the message waits outside; when the way is full, the route's overflow decides
  passes_by,          ///< accepted; this subscription does not get it
  throws_out_oldest,  ///< accepted; the oldest of its source that waits makes room
  replaces_its_key,   ///< accepted; it takes the place of what waits with its key
  never_full,         ///< there is no inbox: the handler is called inside the publish
};

/// On whose thread messages are handled.
enum class place : std::uint8_t { serial_thread, own_thread, pool_thread, who_runs_the_loop, publisher, who_pulls };

/// What a cell means. Where `refused` is set, subscribing fails and the rest has no meaning.
struct outcome {
  std::optional<amphibus::error_code> refused;
  fullness when_full{};
  place runs_on{};
  bool told_by_context = false;  ///< losses: by lost_before() of the next message; else by counters and events alone
  bool many_at_once = false;     ///< the handler may get several messages in one call
  bool ordered_by_key = false;   ///< and not by source
};

std::vector<cell> all_cells();
[[nodiscard]] outcome expected(const cell& of);

/// Whether messages of an accepted publish can be missing here.
[[nodiscard]] bool may_lose(fullness when_full) noexcept;

/// `drop_oldest, dedicated, (batch<T>), zeromq`
std::string name_of(const cell& which);
std::string_view name_of(overflow_choice which) noexcept;
std::string_view name_of(runner which) noexcept;
std::string_view name_of(handler_form which) noexcept;
std::string_view name_of(way which) noexcept;
std::string_view name_of(sharing which) noexcept;

/// What a route can ask for in the file; an axis of its own, because a subscription does not choose it.
struct level_cell {
  std::string_view level;
  way over{};
};
std::vector<level_cell> all_levels();
/// The error that reading the file reports; none: the level is kept.
[[nodiscard]] std::optional<amphibus::error_code> expected(const level_cell& of);
std::string name_of(const level_cell& which);

/// A subscription that begins with a history, of a topic that retains; no message finds every place taken there.
struct start_cell {
  cell what;  ///< as without a history
};
/// In the process all of them; over zeromq one, since there the topic itself is refused.
std::vector<start_cell> all_starts();
[[nodiscard]] std::optional<amphibus::error_code> expected(const start_cell& of);
std::string name_of(const start_cell& which);

}  // namespace combinations
