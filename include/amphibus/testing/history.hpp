#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <amphibus/base/ids.hpp>
#include <amphibus/base/time.hpp>
#include <amphibus/status.hpp>
#include <amphibus/wire/envelope.hpp>

#pragma GCC visibility push(default)
namespace amphibus::testing {

/// A message by who wrote it and its place in what he wrote: what a test puts into its payload.
struct message_name {
  std::uint32_t writer = 0;  ///< from history::add_writer
  std::uint64_t number = 0;  ///< counted by the writer, from 1; 0: no message

  friend auto operator<=>(const message_name&, const message_name&) = default;
};

/// What a history can be accused of.
enum class history_fault_kind : std::uint8_t {
  loss,           ///< accepted, wanted, and never received
  phantom,        ///< received, but never published, refused, or published on another topic
  duplicate,      ///< received again
  reordering,     ///< received after a later one of its writer, and of its key where that counts
  altered,        ///< the payload is not what was published
  wrong_context,  ///< id, source, correlation or causation contradict what was published
  wrong_count,    ///< lost_before does not add up to what is missing
};

/// One fault by name and position.
struct history_fault {
  history_fault_kind kind{};
  std::string reader;       ///< empty where several readers contradict each other
  std::string writer;       ///< empty for a phantom of nobody
  std::uint64_t count = 0;  ///< how many messages
  std::string text;         ///< one sentence with numbers
};

/// `loss: reader "billing" has not 4 of 100 messages of writer "front": 7, 12 to 14`.
std::string to_string(const history_fault& what);
const char* to_string(history_fault_kind kind) noexcept;

/// Judges what was received against what was published: nothing lost, invented, repeated, reordered or altered.
///
/// Writers record every answer of a publish, handlers everything they are handed; verdict() compares the two when both
/// have ended. Payloads carry a message_name, so nothing rests on the ids of the bus: those are judged too.
/// Thread: safe. Lifetime: outlives the handlers that record.
class history {
 public:
  /// What a reader has to get of its topic.
  enum class duty : std::uint8_t {
    everything,  ///< every accepted message, from its begins_with() on; lost_before is always 0
    suffix,      ///< per writer, everything from the first that it got
    counted,     ///< it may lose what lost_before tells: all that is missing before its last, nothing that is not
    counted_by_writer,  ///< the same, and each writer's messages tell of its own losses
  };

  /// A writer is one source of one topic. Returns: its index, from 1.
  std::uint32_t add_writer(std::string name, std::string topic);
  /// A reader is one subscription, or all members of one group. Returns: its index, from 1.
  std::uint32_t add_reader(std::string name, std::string topic, duty owed = duty::everything);
  /// The reader keeps the order by key only, and the key of a message is its number modulo `keys`; 0: it keeps none.
  void orders_by_key(std::uint32_t reader, std::uint64_t keys);
  /// The reader subscribed later: it owes no message of the writer before this one.
  void begins_with(std::uint32_t reader, message_name first);
  /// The subscription ended: it owes neither this message of the writer nor a later one.
  void ends_before(std::uint32_t reader, message_name first_after);

  /// What a publish answered. A later answer to the same message (a retry) replaces the earlier one.
  /// `cause`: the message in whose handler it was published.
  void published(message_name what, publish_status answer, message_name cause = {});
  /// A handler has it. `intact`: the payload is what that message has to have.
  void received(std::uint32_t reader, message_name what, const wire::envelope& with, bool intact = true);

  /// Waits until the reader has received at least `count` messages, or until `limit`. Returns: whether it has.
  /// It says when to look, never whether all is well: that is verdict().
  [[nodiscard]] bool wait_for(std::uint32_t reader, std::uint64_t count,
                              base::duration limit = std::chrono::seconds(30)) const;
  [[nodiscard]] std::uint64_t received_count(std::uint32_t reader) const;
  /// The highest number of the writer that the reader received; 0: none.
  [[nodiscard]] std::uint64_t last_received(std::uint32_t reader, std::uint32_t writer) const;
  /// How many messages of the writer were answered so.
  [[nodiscard]] std::uint64_t answered(std::uint32_t writer, publish_status answer) const;

  /// Every fault. Call it when all publishing and handling has ended; empty: as it has to be.
  [[nodiscard]] std::vector<history_fault> verdict() const;

 private:
  struct written {
    publish_status answer{};
    message_name cause;
  };
  struct writer_record {
    std::string name;
    std::string topic;
    std::map<std::uint64_t, written> messages;
  };
  struct reception {
    message_name what;
    wire::envelope with;
    bool intact = true;
  };
  struct reader_record {
    std::string name;
    std::string topic;
    duty owed{};
    std::uint64_t keys = 1;  // messages whose numbers are equal modulo this are in order; 0: none
    std::map<std::uint32_t, std::uint64_t> begins;  // by writer
    std::map<std::uint32_t, std::uint64_t> ends;
    std::vector<reception> receptions;
  };
  class judge;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<writer_record> writers_;
  std::vector<reader_record> readers_;
};

}  // namespace amphibus::testing
#pragma GCC visibility pop
