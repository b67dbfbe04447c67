#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <zmq.hpp>

#include <amphibus/base/clock.hpp>

namespace amphibus::zeromq {

/// What libzmq may hold for a listening socket: what came and was not handed out, and subscriptions.
struct guard_limits {
  std::size_t held_max_bytes = std::size_t{64} << 20U;      ///< of one connection
  std::size_t held_sum_max_bytes = std::size_t{64} << 20U;  ///< of all connections together
  std::size_t connections_max = 1'000;
  std::uint64_t cost_per_byte = 1;                     ///< what libzmq takes for a byte that came
  std::uint64_t cost_per_subscription = 0;             ///< and for a subscription, beside its text
  std::uint64_t heartbeat_bytes_per_second = 0;        ///< what libzmq keeps to itself
  base::duration silence_max = base::duration::max();  ///< until it said something that is understood
};

/// Cuts tcp connections that send to a listening socket more than it hands out.
///
/// libzmq 4.3.4 hands out whole messages and bounds how many of them wait, but not how many parts one has: the parts of
/// a message that never ends pile up without limit, and no option changes it (docs/adr/0015). The guard hears of each
/// connection through the socket's monitor, asks the kernel what came on it (TCP_INFO) and is told what was handed out;
/// the rest waits in libzmq. Where that is too much, whoever has most is cut. It sleeps until something comes, and then
/// looks every 20 ms until no more piles up.
/// Connections that are not tcp are not seen: whoever may open an ipc path may do anything to this user's processes.
/// Thread: events(), arrivals() and work() for one thread, the rest for any. Lifetime: before the socket and its
/// context end.
class connection_guard {
 public:
  connection_guard(zmq::context_t& context, zmq::socket_t& listening, guard_limits with, base::clock& clock);
  ~connection_guard();
  connection_guard(const connection_guard&) = delete;
  connection_guard& operator=(const connection_guard&) = delete;

  /// A message was received here. At least what it took on the wire: more gives no credit for what comes later.
  void count_taken(const zmq::message_t& last_frame, std::size_t wire_size_bytes);
  /// An XPUB was asked for, or no longer asked for, what begins with this; libzmq remembers it.
  void count_subscription(const zmq::message_t& request);
  /// What came on this connection was understood: it may be silent from now on.
  void keep(const zmq::message_t& received);
  /// Hears of connections, and looks at what came if it is time to. Returns: how many connections were cut.
  std::size_t work();
  /// Readable when work() has news of a connection.
  [[nodiscard]] zmq::socket_t& events() noexcept { return events_; }
  /// Readable when something came; -1 while next_timer() looks soon anyhow.
  [[nodiscard]] int arrivals() const;
  /// When to look again, or somebody has been silent for too long.
  [[nodiscard]] base::time_point next_timer() const;
  [[nodiscard]] std::size_t connections() const;

 private:
  struct connection {
    std::uint64_t identity = 0;  // the kernel's: libzmq's descriptor may be another connection's by now
    base::time_point since{};
    std::uint64_t came_bytes = 0;
    std::uint64_t taken_bytes = 0;
    std::uint64_t heartbeat_bytes = 0;
    std::set<std::string, std::less<>> subscriptions;
    std::uint64_t subscribed_bytes = 0;  // what they cost
    bool kept = false;
    std::optional<base::time_point> cut_at;
  };

  /// The connection that a message came on, which may be faster than the news of it; nullptr where it is not tcp.
  connection* find(const zmq::message_t& received);
  void hear();
  connection* accept(int descriptor);
  void end_the_silent(base::time_point now);
  /// Asks the kernel about every connection, forgets those that ended, and cuts where too much waits.
  void look(base::time_point now);
  void end(int descriptor, connection& which);
  void end_the_largest();
  [[nodiscard]] std::uint64_t held_by(const connection& which) const;

  zmq::socket_ref listening_;  // of a socket that may move
  zmq::socket_t events_;
  const guard_limits limits_;
  base::clock& clock_;
  int arrivals_;
  int spare_;  // an open descriptor, to hold another one's file with where there is none left
  int listening_port_ = 0;
  mutable std::mutex mutex_;                                  // guards what follows
  std::size_t cut_ = 0;                                       // to be told
  bool restless_ = false;                                     // something came since the last look
  base::time_point first_silence_ = base::time_point::max();  // when somebody has been silent for too long
  base::time_point last_look_;
  std::map<int, connection> connections_;  // by libzmq's descriptor
};

/// What a frame of this size takes on the wire of ZMTP 3.
[[nodiscard]] constexpr std::size_t wire_size_of(std::size_t frame_size_bytes) noexcept {
  return frame_size_bytes + (frame_size_bytes > 255 ? 9 : 2);
}

}  // namespace amphibus::zeromq
