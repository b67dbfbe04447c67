#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/error.hpp>
#include <amphibus/wire/envelope.hpp>

#pragma GCC visibility push(default)
namespace amphibus::zeromq {

/// What an observer needs to know; see observer.
struct observer_options {
  struct process {
    std::string name;
    std::string endpoint;  ///< its control endpoint, as others reach it
  };
  std::vector<process> processes;
  std::string pattern = ">";
  /// How long a process may be silent until it counts as not there. It is asked again all the same.
  std::chrono::milliseconds silence_max = std::chrono::seconds(5);
};

/// A message that leaves a process. Lifetime: the callback.
struct observed_message {
  std::string_view process;
  std::string_view topic;
  std::uint64_t number = 0;         ///< in the stream of this process and topic
  std::uint64_t missed_before = 0;  ///< numbers directly before it that did not come here
  wire::envelope with;
  std::string_view type_name;  ///< empty: the process did not say
  std::string_view binary_schema;
  std::span<const std::byte> payload;
};

/// How far an observer is with a process.
enum class observation : std::uint8_t { asked, watching, refused, silent, ended };

/// Thread: const-safe.
struct observed_process {
  std::string name;
  observation state = observation::asked;
  std::optional<error> refusal;  ///< where it refused
  std::uint64_t messages = 0;    ///< shown
  std::uint64_t missed = 0;      ///< known to have travelled and not come here
};

/// Looks on at what leaves the processes of a file, without being one of them: nobody waits for it, and what it does
/// not take in time is dropped for it alone, so it never slows them.
///
/// It sees what a process sends to others: nothing that stays inside, and no topic that no other process subscribes.
/// Who wants every message subscribes instead. Thread: confined. Lifetime: says goodbye at its end.
class observer {
 public:
  /// Connects; nothing is answered yet. Throws: error (bad_topic, endpoint_invalid).
  explicit observer(observer_options with);
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;
  ~observer();

  /// Waits for something to come, at most `wait`, or until `wake_descriptor` is readable (-1: none), and hands out what
  /// is there. `on_message` answers whether to go on; after false nothing more is handed out.
  void run_once(std::chrono::milliseconds wait, int wake_descriptor,
                const std::function<bool(const observed_message&)>& on_message);
  [[nodiscard]] std::vector<observed_process> processes() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace amphibus::zeromq
#pragma GCC visibility pop
