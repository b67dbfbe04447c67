#pragma once

#include <cstdint>
#include <string>

#pragma GCC visibility push(default)
namespace amphibus {

/// What happened. Every loss, refusal and change of a link that a person should know has a kind.
enum class event_kind : std::uint8_t {
  dropped,         ///< a bound was reached and messages were dropped; `count` since the previous such event
  expired,         ///< messages were not handled, or not sent, after their deadline; `count` since the last such event
  topic_skipped,   ///< a pattern passes over a topic of another type, or one topic too many; once per pattern
  handler_failed,  ///< a handler threw; `text` is its what()
  undeliverable,   ///< an accepted message could not be placed or encoded; `text` says why
  gap,             ///< messages of a remote stream were lost; `count` of them
  rejected_input,  ///< bytes from outside were refused; `text` says what, `count` since the previous such event
  peer_connected,  ///< the control link to `peer` is up
  peer_lost,       ///< the control link to `peer` ended without goodbye
  peer_closed,     ///< `peer` said goodbye
  peer_refused,    ///< `peer` has other routes, types or protocol; `text` is the error
  peer_stalled,    ///< `peer`, or a subscription here, took nothing for the stall limit and was cut
  ready,           ///< every process of the file has confirmed
  not_ready,       ///< the deadline passed; `text` names who is missing
};

/// One thing a person should know; see bus::on_event.
///
/// Strings from outside are escaped already: control characters appear as \xNN, at most 256 characters. Thread:
/// const-safe. Lifetime: the callback; copy what is to stay.
struct event {
  event_kind kind{};
  std::string topic;         ///< empty where no topic is concerned
  std::string subscription;  ///< name of the subscription, or of the route for an egress
  std::string peer;          ///< process name or endpoint of the other side
  std::uint64_t count = 0;   ///< how many messages, where it applies
  std::string text;          ///< one sentence for a person
};

/// `dropped`, `handler_failed` …
const char* to_string(event_kind kind) noexcept;
/// One line for a log: `dropped topic=a.b subscription=billing count=12: inbox full (capacity 8192)`.
std::string to_string(const event& what);
/// Escapes text from outside: C0, DEL, bytes >= 0x80 and backslash as \xNN; cut at `limit` characters with `…`.
std::string escaped(const std::string& text, std::size_t limit = 256);

}  // namespace amphibus
#pragma GCC visibility pop
