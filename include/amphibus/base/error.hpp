#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <amphibus/base/assert.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// Names every set-up error. The number is part of the interface: it never changes meaning (docs/errors.md).
enum class error_code : unsigned short {
  bad_topic = 101,              ///< a topic name or pattern breaks the grammar
  topic_type_conflict = 102,    ///< one topic name was used with two message types
  missing_codec = 103,          ///< a topic routed to a remote transport has a type without codec
  bad_option = 104,             ///< an option has a value outside its limits
  bus_closed = 105,             ///< the bus no longer takes subscriptions or makes pools
  out_of_descriptors = 106,     ///< the system gives this process no further file descriptor
  signals_taken = 107,          ///< a shutdown_signal exists already
  bad_bytes = 108,              ///< bytes that are no message of the asked type
  topic_key_conflict = 109,     ///< one topic name was used with two keys
  topic_retain_conflict = 110,  ///< one topic name was used with two constants that retain differently
  config_unreadable = 201,      ///< the configuration file cannot be read
  config_syntax = 202,          ///< the configuration file is not TOML
  config_unknown_key = 203,     ///< a key that does not exist
  config_bad_value = 204,       ///< a key has the wrong type or a value outside its limits
  config_unknown_name = 205,    ///< a process, module or transport that does not exist
  config_conflict = 206,        ///< two settings contradict each other
  command_line = 207,           ///< a command line argument that cannot be understood
  unsupported_level = 301,      ///< the transport cannot keep the level the route asks for
  endpoint_invalid = 302,       ///< an endpoint that cannot be parsed or resolved
  endpoint_in_use = 303,        ///< another socket holds the endpoint
  peer_protocol = 304,          ///< a peer speaks another protocol version, or names more topics than a peer may
  peer_routes = 305,            ///< a peer was started with other routes
  peer_type = 306,              ///< a peer has another type or major for a topic
  not_ready = 307,              ///< a process of the file did not confirm before the deadline
  observer_refused = 308,       ///< a process lets no further observer look on
  group_spans_processes = 309,  ///< a group has members in two processes on a route that cannot keep it together
  unsupported_retention = 310,  ///< a topic retains messages on a route whose transport cannot hand them to who joins
  module_failed = 401,          ///< a module's start function or feeding thread threw
  process_failed = 402,         ///< a process could not be started or ended abnormally
};

/// Where an error was found: a file position, an option, or an endpoint. Empty parts are unknown.
struct error_location {
  std::string file;  ///< path as the user gave it, or the name of the option or endpoint; escaped only in what()
  int line = 0;      ///< 1-based; 0 = unknown
  int column = 0;    ///< 1-based; 0 = unknown
};

/// A set-up error: what happened, where, and how to mend it.
///
/// One type for both ways out: `try_…` functions return it inside `result<T>`, the others throw it.
/// The data path never uses it (see status.hpp).
/// Thread: const-safe.
class error : public std::exception {
 public:
  error(error_code code, std::string what, std::string mend, error_location where = {});

  [[nodiscard]] error_code code() const noexcept { return code_; }
  /// One sentence: what is wrong, with the offending value and the limit.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// One sentence: what to do about it.
  [[nodiscard]] const std::string& mend() const noexcept { return mend_; }
  [[nodiscard]] const error_location& where() const noexcept { return where_; }
  /// The whole error for a person: `file:line:column: AMB-E0203: text` and, on the next line, `  mend: …`.
  [[nodiscard]] const char* what() const noexcept override { return full_.c_str(); }

 private:
  error_code code_;
  std::string text_;
  std::string mend_;
  error_location where_;
  std::string full_;
};

namespace detail {
/// Out of line, because every includer would compile it.
[[nodiscard]] std::shared_ptr<const error> keep(error why);
}  // namespace detail

/// `AMB-E0203` for error_code::config_unknown_key.
std::string to_string(error_code code);

/// A value, or the error that prevented it. Our own because libstdc++ 12 has no `std::expected` in C++20.
///
/// Thread: confined.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): reads as `return value`
  result(amphibus::error why) : error_(detail::keep(std::move(why))) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws the error if there is none.
  T& value() & { return or_throw(), *value_; }
  T&& value() && { return or_throw(), *std::move(value_); }
  const T& value() const& { return or_throw(), *value_; }
  const T& operator*() const& noexcept {
    return AMPHIBUS_ASSERT(has_value(), "result dereferenced without a value"), *value_;
  }
  const T* operator->() const noexcept { return &**this; }
  T& operator*() & noexcept { return AMPHIBUS_ASSERT(has_value(), "result dereferenced without a value"), *value_; }
  T* operator->() noexcept { return &**this; }
  /// The error. Precondition: !has_value().
  [[nodiscard]] const amphibus::error& error() const noexcept {
    AMPHIBUS_ASSERT(!has_value(), "result::error() on a value");
    return *error_;
  }

 private:
  void or_throw() const {
    if (!value_) throw *error_;
  }
  std::optional<T> value_;
  std::shared_ptr<const amphibus::error> error_;  // copies share it
};

}  // namespace amphibus
#pragma GCC visibility pop
