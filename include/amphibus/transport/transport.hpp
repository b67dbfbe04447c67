#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/wire/codec.hpp>
#include <amphibus/wire/envelope.hpp>

#pragma GCC visibility push(default)
/// What somebody who writes a transport implements (transport, session) and is given (host, egress, ingress).
///
/// A transport is a subscriber that writes and a publisher that reads: its I/O thread drains one egress per route,
/// encodes, sends; it verifies what arrives and delivers it to the ingress of the topic. The bus does everything else.
/// How to write one, step by step: docs/transports.md.
namespace amphibus::transport {

/// What a route may ask for, and a transport may promise.
enum class level : std::uint8_t { best_effort };

/// What an egress does when its inbox is full: pace publishers, or drop (counted, consuming sequence numbers).
enum class egress_overflow : std::uint8_t { block, drop_newest };

/// What a transport promises. What is claimed chooses the cases of the conformance suite, where a claim that fails is
/// red, and fills the table of README.md. Claim nothing that you cannot keep while peers die.
struct capabilities {
  std::vector<level> levels;               ///< levels it can keep; a route that asks for another is refused at start
  bool ordered_per_source = true;          ///< FIFO per (source, topic)
  bool lossless_while_connected = false;   ///< a route that blocks loses nothing while no process or connection ends
  bool free_of_duplicates = false;         ///< nothing arrives twice
  bool counts_losses = false;              ///< every loss shows as lost_before of the next message and as a gap event
  bool paces_publishers = false;           ///< a full subscription anywhere refuses publishers of a route that blocks
  bool separates_routes = false;           ///< a route whose publishers wait delays no other route
  bool ready_means_joined = false;         ///< what is published after readiness reaches every subscription
  bool finds_topics = false;               ///< a pattern reaches topics that only a peer made, from their first message
  bool retains = false;                    ///< a subscription that joins late gets what others' topics retain
  std::size_t message_size_max_bytes = 0;  ///< larger messages become undeliverable{too large}
};

/// One other process of the file.
struct peer_settings {
  std::string process;
  std::string endpoint;  ///< its control endpoint, as it advertises it
};

/// One route that this transport carries, in file order.
struct route_settings {
  std::string pattern;
  level asked = level::best_effort;
  egress_overflow overflow = egress_overflow::block;
  std::chrono::nanoseconds block_timeout = std::chrono::seconds(5);
};

/// Everything a session needs to open; plain data.
struct settings {
  std::string process;               ///< own name
  std::string endpoint;              ///< own control endpoint to bind
  std::string advertise;             ///< what peers use to reach it; equal to endpoint unless configured
  std::vector<peer_settings> peers;  ///< the other processes, in file order
  std::size_t own_position = 0;      ///< position of this process among all, in file order
  std::vector<route_settings> routes;
  std::uint64_t routes_digest = 0;  ///< differs if two processes were started with different routes
  std::size_t message_size_max_bytes = std::size_t{16} << 20U;
  std::chrono::nanoseconds peer_stall_max = std::chrono::seconds(10);
};

/// A topic that a route of this transport carries and that this process publishes or subscribes.
struct topic_info {
  std::string name;
  std::size_t route = 0;  ///< index into settings::routes
  std::string type_name;
  std::uint16_t major = 0;
  std::uint64_t schema_hash = 0;
  bool subscribed = false;              ///< somebody here wants it from others now, beside what host::patterns() says
  std::string_view binary_schema = {};  ///< as codec_operations has it; empty for topics of peers
};

/// A subscription by pattern that topics of other processes can reach.
struct pattern_info {
  std::string text;
  std::string type_name;    ///< of the codec of its messages; empty: every type
  std::uint16_t major = 0;  ///< equal majors can read each other
  friend auto operator<=>(const pattern_info&, const pattern_info&) = default;
};

/// A group that has members in this process, of a topic or pattern that topics of other processes can reach. Members in
/// several processes would each get every message: only level `reliable` can keep a group together.
struct group_info {
  std::string of;  ///< the topic's name, or the pattern
  std::string name;
  friend auto operator<=>(const group_info&, const group_info&) = default;
};

/// Receives what egress::drain hands out, on the I/O thread.
class egress_sink {
 public:
  /// `topic`: stable for the life of the session. `value`: valid only during the call; encode it with `operations`.
  virtual void on_message(std::string_view topic, const wire::codec_operations& operations, const wire::envelope& with,
                          const void* value) = 0;
  /// The same for messages of this process that no handler caused, and that have neither attributes nor a time limit:
  /// their origin is the session's incarnation, their sequence numbers count from `first` on. What most messages are;
  /// overrides may be faster for it.
  virtual void on_run(std::string_view topic, const wire::codec_operations& operations, const message_id& first,
                      const wire::value_run& values) {
    for (std::size_t i = 0; i != values.count; ++i) {
      on_message(topic, operations, wire::first_envelope({first.source, first.sequence + i}), values[i]);
    }
  }
  /// `count` messages of `topic` were dropped since the last call; they consume sequence numbers.
  virtual void on_dropped(std::string_view topic, std::uint64_t count) = 0;

 protected:
  ~egress_sink() = default;
};

/// The outgoing messages of one route. Thread: the session's I/O thread only.
class egress {
 public:
  /// Hands up to `max` messages to `to`, in the order of each source. They stay accounted as in flight until
  /// finished(). Returns: how many.
  virtual std::size_t drain(std::size_t max, egress_sink& to) = 0;
  /// `count` drained messages are handed over: their capacity is free again and drain() of the bus no longer waits on
  /// them.
  virtual void finished(std::size_t count) = 0;
  /// Announces that the I/O thread is about to sleep. Returns: false if messages came meanwhile (drain again);
  /// true if the next message will call waker::wake().
  virtual bool prepare_to_sleep() = 0;

 protected:
  ~egress() = default;
};

/// Wakes the session's I/O thread. Thread: safe, from any thread, also after the I/O thread ended; never blocks.
class waker {
 public:
  virtual void wake() noexcept = 0;

 protected:
  ~waker() = default;
};

enum class delivery : std::uint8_t {
  delivered,      ///< every local subscription has it, or its overflow policy dropped and counted it
  full,           ///< a subscription that blocks has no room; nobody got it; repeat after waker::wake()
  no_subscriber,  ///< nobody here wants it any more
  undecodable,    ///< the codec refused the bytes
};

/// How far a deliver() came: `count` messages are delivered, `next` is what became of the one after them (`delivered`
/// if there is none). Neither it nor what follows it is delivered.
struct delivery_progress {
  std::size_t count;
  delivery next;
};

/// The way of one topic into this process. Thread: the session's I/O thread only.
class ingress {
 public:
  /// Decodes each payload and publishes it to local subscriptions only, in order, until one cannot be delivered: what
  /// came from a transport never leaves again. Many at once are cheaper. Never waits, runs no handler.
  virtual delivery_progress deliver(const wire::received_run& messages) = 0;

 protected:
  ~ingress() = default;
};

/// What the bus offers to a session. Thread: safe unless said otherwise. Lifetime: outlives the session.
class host {
 public:
  [[nodiscard]] virtual std::uint64_t incarnation() const noexcept = 0;
  [[nodiscard]] virtual base::clock& clock() const noexcept = 0;
  /// The topics that routes of this transport carry, now; sorted by name. Changes are announced by
  /// session::topics_changed().
  [[nodiscard]] virtual std::vector<topic_info> topics() const = 0;
  /// What is subscribed here by pattern, now; sorted, each once. Changes are announced in the same way.
  [[nodiscard]] virtual std::vector<pattern_info> patterns() const = 0;
  /// The groups of this process on routes of this transport, sorted.
  [[nodiscard]] virtual std::vector<group_info> groups() const = 0;
  [[nodiscard]] virtual egress& egress_of(std::size_t route) = 0;
  /// Says that a peer has a topic: where a pattern covers it and its type is known here, it becomes a topic of this
  /// process; patterns of another type tell that they pass it over.
  virtual void offer_topic(const topic_info& of_peer) = 0;
  /// The ingress of a topic of a peer; nullptr where nobody here subscribes it, or its type here is another. Stable for
  /// the life of the session.
  [[nodiscard]] virtual ingress* find_ingress(const topic_info& of_peer) = 0;
  /// Says whether any peer subscribes to `topic`: only then do publishers of this process feed the egress. When it
  /// returns, every later publish does.
  virtual void set_remote_interest(std::string_view topic, bool wanted) = 0;
  /// The same for every topic that `which` covers and whose type is its own, also for those that are made later: from
  /// their first publish.
  virtual void set_remote_pattern(const pattern_info& which, bool wanted) = 0;
  /// Hands an event to on_event and the log. Rate limits are the caller's.
  virtual void report(const event& what) = 0;
  /// Counts bytes that went to and came from the wire, for counters().
  virtual void count_bytes(std::uint64_t sent, std::uint64_t received) noexcept = 0;
  /// The set of ready peers changed: every peer confirmed (true), or one is missing again (false).
  virtual void set_all_peers_ready(bool ready) = 0;
  /// The start is impossible (another protocol, other routes, another type): wait_until_ready() ends with this error.
  virtual void fail(error why) = 0;

 protected:
  ~host() = default;
};

/// One open transport of one bus; owns its I/O thread and every socket.
class session {
 public:
  session() = default;
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  /// Ends at once, without goodbye. Never blocks longer than it takes to stop the I/O thread.
  virtual ~session() = default;

  /// What the bus calls when an egress got its first message after prepare_to_sleep(), or a full ingress has room
  /// again. The bus learns it when open() returned; until then it wakes nobody, so look once after that.
  [[nodiscard]] virtual waker& wake_handle() noexcept = 0;
  /// host::topics() changed. Thread: safe; never blocks.
  virtual void topics_changed() noexcept = 0;
  /// Everything is subscribed: start confirming readiness to the peers. Asked again later, for what was subscribed
  /// meanwhile, answer host::set_all_peers_ready() again. Thread: safe; never blocks.
  virtual void start_confirming() noexcept = 0;
  /// Names of peers that have not confirmed. Thread: safe.
  [[nodiscard]] virtual std::vector<std::string> missing_peers() const = 0;
  /// Flushes, says goodbye and waits until every ready peer has everything, or until `deadline`. Idempotent.
  /// Returns: names of the peers that did not answer.
  virtual std::vector<std::string> close(base::time_point deadline) = 0;
};

/// A factory of sessions; the object that `main` hands to the bus or app.
class transport {
 public:
  transport() = default;
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;
  virtual ~transport() = default;

  /// The word in `transport = "…"`.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual amphibus::transport::capabilities capabilities() const = 0;
  /// Checks endpoint syntax and lengths without opening anything. Returns: every error found.
  [[nodiscard]] virtual std::vector<error> check(const settings& with) const = 0;
  /// Binds the endpoints and starts the I/O thread. `to_host` outlives the session.
  [[nodiscard]] virtual result<std::unique_ptr<session>> open(settings with, host& to_host) = 0;
};

}  // namespace amphibus::transport

namespace amphibus {

/// The transports that a bus may use; none is null, no two have one name.
using transport_list = std::vector<std::unique_ptr<amphibus::transport::transport>>;

/// A list of them: `amphibus::transports(amphibus::zeromq::transport())`.
template <class... Transport>
[[nodiscard]] transport_list transports(std::unique_ptr<Transport>... each) {
  transport_list out;
  (out.push_back(std::move(each)), ...);
  return out;
}

}  // namespace amphibus
#pragma GCC visibility pop
