#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <zmq.hpp>

#include <amphibus/transport/transport.hpp>
#include <amphibus/wire/frame.hpp>

#include "frame_pool.hpp"
#include "observers.hpp"
#include "sockets.hpp"

namespace amphibus::zeromq {

/// The sending side of one route: egress -> one open batch per topic -> XPUB.
///
/// Numbers are given here, so a message that is too large or dropped before it leaves consumes one: the receiver sees a
/// gap. Thread: the I/O thread.
class outbound final : public transport::egress_sink {
 public:
  struct settings {
    bool block = true;
    std::size_t message_size_max_bytes = 0;
    base::duration idle_repeat_after{};
    std::size_t pipe_max_bytes = 0;
  };
  struct callbacks {
    std::function<void()> on_first_message;  ///< before the first message of a topic is sent
    std::function<void()> on_room;           ///< work() has something to do again; from another thread
  };
  outbound(zmq::socket_t socket, settings with, transport::egress& from, transport::host& host, callbacks call);
  ~outbound() { pool_->forget_user(); }
  outbound(const outbound&) = delete;
  outbound& operator=(const outbound&) = delete;

  /// Sends what waits, then what waits in the egress, up to one flush. Returns: true if anything moved.
  bool work(base::time_point now);
  /// True while a peer takes nothing on a block route: drain nothing, try again at next_timer().
  [[nodiscard]] bool blocked() const noexcept { return !waiting_.empty(); }
  /// True while something that was published has not been sent, and waits for a peer.
  [[nodiscard]] bool has_backlog() { return blocked() || (held_up_ && !from_.prepare_to_sleep()); }
  /// True for a moment after a block route took something and stopped: a peer that keeps up makes room in no time.
  [[nodiscard]] bool expects_room(base::time_point now) const noexcept { return blocked() && now < expects_until_; }
  [[nodiscard]] bool prepare_to_sleep() { return blocked() || held_up_ || from_.prepare_to_sleep(); }
  [[nodiscard]] base::time_point next_timer() const noexcept {
    const bool retries = blocked() || !owed_syncs_.empty();
    if (retries) return retry_at_;
    return std::min(held_up_ ? base::time_point::max() : repeat_at_, goodbye_again_at_);
  }

  /// Answers a marker: the next number of every stream, behind everything sent so far.
  void send_sync(const std::string& marker);
  /// A route that drops may drop this too, so it repeats it; receivers count it once.
  void send_goodbye(base::time_point now);
  /// From now on each batch is shown there, too; nullptr: nowhere. While it is, batches are small enough for that.
  void show_on(tap_socket* where) noexcept { tap_ = where; }
  [[nodiscard]] zmq::socket_t& socket() noexcept { return socket_; }

  void on_run(std::string_view topic, const wire::codec_operations& operations, const message_id& first,
              const wire::value_run& values) override;
  void on_message(std::string_view topic, const wire::codec_operations& operations, const wire::envelope& with,
                  const void* value) override;
  void on_dropped(std::string_view topic, std::uint64_t count) override;

 private:
  struct stream {
    std::string name;  // with NUL
    std::uint64_t next_sequence = 1;
    std::uint64_t schema_hash = 0;
    bool open = false;
    bool repeat_due = false;
    wire::batch_writer batch;
  };
  struct waiting_frame {
    zmq::message_t topic;
    zmq::message_t body;
  };

  /// Whether libzmq holds as many bytes as it may: it counts frames, whose size we give.
  [[nodiscard]] bool is_held_up();
  /// Into open batches, as much as there is or one flush holds. Returns: how many messages.
  std::size_t drain_backlog();
  stream& stream_of(std::string_view topic);
  /// The stream, with an open batch.
  stream& open_batch(std::string_view topic, const wire::codec_operations& operations);
  /// `count` messages were added to the batch, which had `before` bytes.
  void added(stream& to, std::size_t count, std::size_t before);
  void refused(stream& to);
  void flush(stream& of);
  void flush_all();
  void repeat_idle();
  void send(stream& of);
  void send(std::string_view topic, zmq::message_t body);
  bool try_send(waiting_frame& frame);
  bool try_send_shown(waiting_frame& frame);
  /// Sends to whoever asked or not at all, also where the route drops. Returns: true if it is sent.
  bool try_sync(const std::string& marker);
  [[nodiscard]] zmq::message_t numbers_frame(wire::batch_kind kind);
  [[nodiscard]] std::vector<std::byte> next_numbers() const;
  void give_up(const stream& of, const char* why);
  [[nodiscard]] std::size_t batch_cap() const noexcept {
    return tap_ == nullptr ? batch_cap_bytes_ : batch_cap_least_bytes;
  }

  zmq::socket_t socket_;
  const settings settings_;
  const std::size_t batch_cap_bytes_;
  transport::egress& from_;
  transport::host& host_;
  const std::function<void()> on_first_message_;
  // By the address of the topic's name, which is stable: no hashing of text per message.
  std::unordered_map<const char*, std::unique_ptr<stream>> streams_;
  const char* last_topic_ = nullptr;
  stream* last_stream_ = nullptr;
  std::size_t taken_bytes_ = 0;  // since the turn began
  std::size_t message_bytes_;    // of one message, on an average of the last drain: how many may come at once
  std::vector<stream*> open_;
  std::vector<stream*> to_repeat_;
  base::time_point repeat_at_ = base::time_point::max();
  base::time_point retry_at_{};
  base::time_point expects_until_{};
  std::deque<waiting_frame> waiting_;
  std::vector<std::string> owed_syncs_;  // of a route that drops: found no room yet
  base::time_point goodbye_again_at_ = base::time_point::max();
  const std::shared_ptr<frame_pool> pool_;
  bool held_up_ = false;  // until the pool wakes
  tap_socket* tap_ = nullptr;
  std::size_t unfinished_ = 0;  // drained, but something of it waits in waiting_
};

}  // namespace amphibus::zeromq
