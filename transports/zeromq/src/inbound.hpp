#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <zmq.hpp>

#include <amphibus/base/fault.hpp>
#include <amphibus/transport/transport.hpp>
#include <amphibus/wire/frame.hpp>

#include "received_frame.hpp"

namespace amphibus::zeromq {

/// The receiving side of one peer and route: SUB -> sequence check -> ingress.
///
/// It never waits on an inbox: what a full one refuses stays in hand and the socket is not polled meanwhile. A
/// subscription that takes nothing for peer_stall_max loses messages, counted and told, rather than stall the rest for
/// ever. Thread: the I/O thread.
class inbound {
 public:
  struct settings {
    std::string peer;
    std::uint64_t producer = 0;  ///< incarnation of the peer
    base::duration stall_max{};
    base::fault_hook* faults = nullptr;
  };
  /// What is subscribed here on this route.
  struct interests {
    std::set<std::string, std::less<>> topics;
    std::set<std::string, std::less<>> patterns;
    [[nodiscard]] bool include(std::string_view topic) const;
  };
  struct callbacks {
    /// What the peer said of a topic that it sends; none: nothing yet.
    std::function<std::optional<transport::topic_info>(std::string_view topic)> announced;
    std::function<void(std::uint64_t revision)> on_sync;
    std::function<void()> on_goodbye;
  };
  /// How far the streams of one incarnation of the peer came: what is lost with a link is told when there is another.
  class progress;

  /// `from`: of the link before; ignored if it is of another incarnation.
  inbound(zmq::socket_t socket, settings with, callbacks call, transport::host& host, progress from);
  /// The link is over; so is this object.
  [[nodiscard]] progress take_progress();

  /// Subscribes to exactly `wanted`, then to the marker of `revision`, whose answer proves that all are effective.
  void subscribe(interests wanted, std::uint64_t own_incarnation, std::uint64_t revision);
  /// Receives and delivers what is there, bounded. Returns: true if anything moved.
  bool work(base::time_point now);
  /// True while a batch in hand waits for room in an inbox, or for the peer to announce its topic: do not poll.
  [[nodiscard]] bool pending() const noexcept { return pending_; }
  [[nodiscard]] base::time_point next_timer() const noexcept;
  [[nodiscard]] zmq::socket_t& socket() noexcept { return socket_; }
  /// What was copied because libzmq handed it out unaligned; everything else is read where it put it.
  [[nodiscard]] std::uint64_t copied_bytes() const noexcept { return copied_bytes_; }

 private:
  struct stream {
    transport::ingress* to = nullptr;
    std::uint64_t next_sequence = 0;  // 0: no baseline yet
    std::uint64_t lost = 0;           // to tell with the next message
    std::uint64_t dropped = 0;        // of those, while stalled: no event has told of them yet
    bool wanted = false;
    bool stalled = false;
  };
  using stream_map = std::map<std::string, stream, std::less<>>;
  enum class way : std::uint8_t { open, none, unknown };

  /// Subscribes what libzmq has to let through, and nothing else.
  void filter();
  /// Nobody here wants it any more, nor what is in hand of it.
  void forget(stream& of, std::string_view topic);
  bool receive();
  void accept(std::string_view topic, base::time_point now);
  bool accept_batch(std::string_view topic);
  /// The stream of a topic that is wanted here, made at its first use; else nullptr.
  stream* find_stream(std::string_view topic);
  /// Where messages of the topic go: no way if nobody here wants them, not known before the peer announced the topic.
  way find_way(stream& of, std::string_view topic);
  /// Looks at the numbers of the batch in hand. Returns: false if it waits, or is not for anybody here.
  bool begin_batch(base::time_point now);
  void give_up_batch();
  /// Hands every (topic, next number) of a sync or goodbye to `take`. Returns: false if the body is cut off.
  template <class Take>
  bool read_numbers(Take take);
  void adopt_baselines();
  void count_lost_tails();
  /// Everything before `next` was sent; what has not come will not.
  void count_lost(stream& of, const std::string& topic, std::uint64_t next);
  void tell_dropped(stream& of, std::string_view topic);
  void count_gap(stream& of, std::string_view topic, std::uint64_t lost);
  /// Delivers the batch in hand from where it stopped. Returns: false while an inbox is full.
  bool deliver_rest(base::time_point now);
  /// How many messages are in the window.
  [[nodiscard]] std::uint64_t in_window() const noexcept;
  /// Takes the next messages of the batch in hand. Returns: false if there is none.
  bool fill_window();
  void break_window();
  /// Delivers what is in the window. Returns: false while an inbox is full.
  bool hand_over(base::time_point now);
  /// One message could not be delivered. Returns: true if it is dealt with, false if it waits.
  bool settle_one(transport::delivery why, base::time_point now);
  void reject(const char* why);

  zmq::socket_t socket_;
  const settings settings_;
  const callbacks call_;
  transport::host& host_;
  interests wanted_;
  std::set<std::string, std::less<>> synced_;  // patterns: a stream that begins now begins with number 1
  std::set<std::string> filters_;
  std::string marker_;
  stream_map streams_;

  zmq::message_t topic_frame_;
  const std::shared_ptr<frame_store> frames_ = std::make_shared<frame_store>();
  frame_handle frame_ = frames_->take();
  wire::batch_reader batch_;
  std::array<wire::received_run, 2> window_;  // of batch_, from begin to end not delivered yet
  std::size_t window_begin_ = 0;
  std::size_t window_end_ = 0;
  std::uint64_t sequence_ = 0;  // of the next message of the batch
  std::string topic_;
  stream* stream_ = nullptr;
  bool begun_ = false;  // the batch in hand has a way
  bool pending_ = false;
  base::time_point pending_since_{};
  std::uint64_t rejected_ = 0;
  std::uint64_t copied_bytes_ = 0;
  base::time_point next_report_{};
};

class inbound::progress {
 public:
  /// What is wanted changed while there is no link: whoever wants the rest again later has not lost it.
  void keep(const interests& wanted);

 private:
  friend class inbound;
  std::uint64_t producer_ = 0;
  stream_map streams_;
};

}  // namespace amphibus::zeromq
