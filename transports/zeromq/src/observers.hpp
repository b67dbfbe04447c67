#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <zmq.hpp>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/error.hpp>

#include "control.hpp"
#include "guard_thread.hpp"

namespace amphibus::zeromq {

/// Frames that wait inside libzmq for an observer that takes none; then they are dropped, for it alone.
inline constexpr int tap_frames_max = 64;
/// A larger batch is not shown: an observer sees the gap.
inline constexpr std::size_t tap_batch_size_max_bytes = std::size_t{256} << 10U;
/// What observers put where processes have their incarnation.
inline constexpr std::uint64_t observer_incarnation = 0;
/// Answers to all observers together in a second; who asks more gets none, and asks again.
inline constexpr std::size_t observer_answers_max = 256;

/// Where batches are shown: a PUB that drops for whoever is slow, and never refuses, waits or copies a payload.
/// Thread: the I/O thread.
class tap_socket {
 public:
  /// `socket` is a PUB, bound to what observers know as `endpoint`; `guards` has its own, over tcp.
  tap_socket(zmq::socket_t socket, std::string endpoint, std::unique_ptr<guard_thread> guards = nullptr)
      : socket_(std::move(socket)), endpoint_(std::move(endpoint)), guards_(std::move(guards)) {}

  void show(zmq::message_t topic, zmq::message_t batch);
  /// What a topic is, beside the batches.
  void show(const control_message& what);
  [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  void send(zmq::message_t topic, zmq::message_t body);

  zmq::socket_t socket_;
  std::string endpoint_;
  std::unique_ptr<guard_thread> guards_;
};

/// Who looks on at this process without being one of the file: nobody waits for them, their number is bounded, and who
/// is silent is forgotten. Thread: the I/O thread.
class observers {
 public:
  struct settings {
    std::string process;
    std::uint64_t incarnation = 0;
    std::size_t count_max = 0;
    base::duration silence_max{};
  };
  struct callbacks {
    /// Throws: error, zmq::error_t.
    std::function<tap_socket()> open_tap;
    /// What this process knows of a topic.
    std::function<described(const std::string& topic)> describe_topic;
  };
  observers(settings with, callbacks call) : settings_(std::move(with)), call_(std::move(call)) {}

  /// Whether this is for us: the sender asks to observe, does so already, or leaves whether we know it or not.
  [[nodiscard]] bool concerns(const std::string& id, const control_message& message) const;
  /// Returns: what to answer on the control link, if anything.
  std::optional<control_body> on_message(base::time_point now, const std::string& id, const control_message& message);
  /// Forgets who was silent for too long.
  void on_timer(base::time_point now);
  [[nodiscard]] base::time_point next_timer() const noexcept;

  /// Where to show batches; nullptr while nobody looks on.
  [[nodiscard]] tap_socket* tap() noexcept { return tap_ ? &*tap_ : nullptr; }
  /// Routing ids, and when each was heard last.
  [[nodiscard]] const std::map<std::string, base::time_point>& known() const noexcept { return known_; }

 private:
  control_body admit(base::time_point now, const std::string& id, const observe& asked);
  /// Returns: why not.
  std::optional<error> objection(const std::string& id, const observe& asked);
  void close_unless_observed();
  bool may_answer(base::time_point now);

  const settings settings_;
  const callbacks call_;
  std::map<std::string, base::time_point> known_;
  std::optional<tap_socket> tap_;
  base::time_point window_begin_{};
  std::size_t answers_ = 0;  // since window_begin_
};

}  // namespace amphibus::zeromq
