#include <array>

#include "cases.hpp"

namespace amphibus::testing {
namespace {

constexpr std::string_view same = "the same";

constexpr std::array<guarantee, 17> all{{
    {"content", "bytes, ids and topic as they were published", "the same, up to `message_size_max_bytes`"},
    {"order", "FIFO per source and topic, to every subscription", same, &promise::ordered_per_source},
    {"loss", "none with `block`; with `drop_newest` counted, told by an event and by the next message",
     "the same while a connection lives; what is lost with a connection is counted and shown as a gap",
     &promise::lossless_while_connected},
    {"duplicates", "none", "none", &promise::free_of_duplicates},
    {"a full inbox",
     "the publish waits up to its limit, then reaches nobody (`would_block`), or passes that subscription by; "
     "publishers of other topics never wait",
     "the same, by the route's `overflow`; publishers of other routes never wait", &promise::paces_publishers},
    {"late joining", "a subscription gets everything published after `subscribe` returned",
     "nothing is lost after readiness, which names who is missing", &promise::ready_means_joined},
    {"patterns",
     "reach every topic that they cover and whose type is theirs, also later ones, each from its first message", same,
     &promise::finds_topics},
    {"groups", "each message to exactly one member, whoever is ready, also while members join and leave",
     "the same within one process; a group with members in two is refused by name"},
    {"keys", "FIFO per key where handlers run in parallel (`.concurrency`, groups); no key in two handlers at once",
     same},
    {"history",
     "a subscription that asks for it gets what its topic retains and then what is live, without gap or duplicate",
     "a topic that retains and leaves the process is refused by name"},
    {"deadlines", "no handler starts with a message whose deadline has passed; counted, told by an event",
     "the same, and no route sends it; the time left travels, in milliseconds"},
    {"a subscription's end", "its destructor returns when no handler of it runs and none will start", same},
    {"handlers that publish",
     "never wait on the bus; a cycle over full inboxes ends with what could not be placed counted and told", same},
    {"coroutines",
     "`co_await receiver.next()` gives every message in order, as to a handler; the end of its task is an end", same},
    {"exceptions of handlers", "counted, reported, contained", same},
    {"correlation, causation", "carried without user code", same},
    {"the end",
     "`drain` and `close` end at their deadline and say what is left, `close` once running handlers return; a publish "
     "after close, after fork or in static destruction answers `closed`",
     same},
}};

}  // namespace

std::span<const guarantee> guarantees() { return all; }

std::string guarantee_table(std::span<const subject> subjects) {
  std::string out = "| |";
  std::string line = "|---|";
  for (const subject& each : subjects) {
    if (each.title.empty()) continue;
    out += " " + each.title + " |";
    line += "---|";
  }
  out += "\n" + line + "\n";
  for (const guarantee& row : guarantees()) {
    out += "| " + std::string(row.name) + " |";
    for (const subject& each : subjects) {
      if (each.title.empty()) continue;
      const bool claimed = row.claimed == nullptr || each.promises.*row.claimed;
      const std::string_view text = !claimed                 ? "not promised"
                                    : each.joins_processes() ? row.between_processes
                                                             : row.in_process;
      out += " " + std::string(text) + " |";
    }
    out += "\n";
  }
  return out;
}

}  // namespace amphibus::testing
