#pragma once

#include <cstdint>
#include <map>

#include <zmq.hpp>

#include <amphibus/base/clock.hpp>

namespace amphibus::zeromq {

/// What a listening socket lets pile up.
struct guard_limits {
  std::size_t unread_max_bytes = std::size_t{64} << 20U;  ///< of all connections together
  std::size_t connections_max = 1'000;
  // libzmq takes about 30 times the text. One connection: 20,000 topics with the longest names.
  std::size_t subscriptions_max_bytes = std::size_t{5} << 20U;
  std::size_t subscriptions_sum_max_bytes = std::size_t{32} << 20U;  ///< of all connections together
  std::uint64_t heartbeat_bytes_per_second = 64;                     ///< what libzmq keeps to itself
  base::duration silence_max = base::duration::max();                ///< until it said something that is understood
};

/// Cuts tcp connections that send to a listening socket more than it hands out.
///
/// libzmq 4.3.4 hands out whole messages and bounds how many of them wait, but not how many parts one has: the parts of
/// a message that never ends pile up without limit, and no option changes it (docs/adr/0015). The guard hears of each
/// connection through the socket's monitor, asks the kernel what came on it (TCP_INFO) and is told what was handed out;
/// the rest waits in libzmq. Where that is too much, whoever has most is cut. It sleeps until something comes.
/// Connections that are not tcp are not seen: whoever may open an ipc path may do anything to this user's processes.
/// Thread: the I/O thread. Lifetime: before the socket and its context end.
class connection_guard {
 public:
  connection_guard(zmq::context_t& context, zmq::socket_t& listening, guard_limits with, base::time_point now);
  ~connection_guard();
  connection_guard(const connection_guard&) = delete;
  connection_guard& operator=(const connection_guard&) = delete;

  /// A message was received here. At least what it took on the wire: more gives no credit for what comes later.
  void count_taken(const zmq::message_t& last_frame, std::size_t wire_size_bytes);
  /// An XPUB was asked for, or no longer asked for, what begins with this; libzmq remembers it.
  void count_subscription(const zmq::message_t& request);
  /// What came on this connection was understood: it may be silent from now on.
  void keep(const zmq::message_t& received);
  /// Looks at what came. Returns: how many connections were cut.
  std::size_t work(base::time_point now);
  /// Readable when work() has something to do.
  [[nodiscard]] zmq::socket_t& events() noexcept { return events_; }
  [[nodiscard]] int arrivals() const noexcept { return arrivals_; }
  /// When somebody has been silent for too long.
  [[nodiscard]] base::time_point next_timer() const noexcept;
  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

 private:
  struct connection {
    int descriptor = -1;  // ours, so that its number cannot become another connection's while we hold it
    base::time_point since{};
    std::uint64_t came_bytes = 0;
    std::uint64_t taken_bytes = 0;
    std::uint64_t subscribed_bytes = 0;
    bool kept = false;
    bool cut = false;
  };

  /// The connection that a message came on; nullptr where the guard does not see it.
  connection* find(const zmq::message_t& received);
  void hear();
  void accept(int descriptor);
  void end_the_silent();
  void forget(int descriptor);
  void end(connection& which);
  /// Cuts who has most of what `size_of` says, until all together have no more than `most`.
  template <class Size>
  void end_the_largest(Size size_of, std::uint64_t most);
  [[nodiscard]] std::uint64_t unread_of(const connection& which) const;

  zmq::socket_t& listening_;
  zmq::socket_t events_;
  const guard_limits limits_;
  int arrivals_;
  int listening_port_ = 0;
  std::size_t cut_ = 0;  // to be told
  std::uint64_t subscribed_bytes_ = 0;
  base::time_point now_;
  std::map<int, connection> connections_;  // by libzmq's descriptor
};

/// What a frame of this size takes on the wire of ZMTP 3.
[[nodiscard]] constexpr std::size_t wire_size_of(std::size_t frame_size_bytes) noexcept {
  return frame_size_bytes + (frame_size_bytes > 255 ? 9 : 2);
}

}  // namespace amphibus::zeromq
