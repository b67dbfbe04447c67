#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include <amphibus/zeromq/observer.hpp>

#include "message_json.hpp"

namespace amphibus::cli {

/// A duration as people write it: `250ms`, `10s`, `2min`, `1h`. Returns: nullopt for anything else.
std::optional<std::chrono::milliseconds> read_duration(const std::string& text);

/// Turns observed messages into lines. Thread: confined.
class tap_lines {
 public:
  explicit tap_lines(bool json) : json_(json) {}
  /// One line without its end; ASCII only. `at`: when it was seen.
  std::string line_of(const zeromq::observed_message& message, std::chrono::system_clock::time_point at);

 private:
  /// The members `"message":…`, or `"hex":…,"note":…` where it cannot be shown as text.
  std::string content_of(const zeromq::observed_message& message);
  const message_json* find_schema(const zeromq::observed_message& message);

  const bool json_;
  struct known_schema {
    std::string bytes;
    std::optional<message_json> text;
  };
  std::map<std::string, known_schema, std::less<>> schemas_;  // by process and type
};

}  // namespace amphibus::cli
