#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <zmq.hpp>

#include <amphibus/base/clock.hpp>
#include <amphibus/wire/frame.hpp>
#include <amphibus/zeromq/observer.hpp>

#include "control.hpp"

namespace amphibus::zeromq {

/// An observer's side of one process: asks, subscribes at the tap endpoint, follows the numbers. Thread: confined.
class watch {
 public:
  using message_sink = std::function<bool(const observed_message&)>;

  watch(zmq::context_t& context, observer_options::process of, const observer_options& with, base::time_point now);

  void say_bye();
  /// Asks again where it is time, and opens a link that broke once more.
  void on_timer(base::time_point now);
  void receive_control(base::time_point now);
  /// Returns: false when `on_message` said so.
  bool receive_batches(base::time_point now, const message_sink& on_message);
  /// True while a batch waits for its topic to be described.
  [[nodiscard]] bool holds() const noexcept { return held_.has_value(); }
  void add_to(std::vector<zmq::pollitem_t>& polled);
  [[nodiscard]] const observed_process& seen() const noexcept { return seen_; }

 private:
  struct topic_state {
    std::optional<described> what;
    base::time_point asked_first{};
    base::time_point asked_last{};
    std::uint64_t next = 0;  // 0: none came yet
  };
  struct held_batch {
    std::string topic;
    zmq::message_t body;
  };

  void connect(base::time_point now);
  void send(const control_body& body);
  void on_control(base::time_point now, const control_message& message, std::uint64_t from);
  void refuse(error why);
  void open_tap(const std::string& endpoint);
  void receive_descriptions();
  /// A batch whose topic is not described yet is held, and nothing is received meanwhile. Returns: whether it may go
  /// on.
  bool is_described(base::time_point now, topic_state& of, const std::string& topic);
  bool hand_out(base::time_point now, held_batch& batch, const message_sink& on_message);
  void skip_to(topic_state& of, std::uint64_t number);

  zmq::context_t& context_;
  const observer_options::process of_;
  const std::string pattern_;
  const base::duration silence_max_;
  zmq::socket_t dealer_;
  zmq::socket_t batches_;
  zmq::socket_t descriptions_;
  std::string tap_endpoint_;
  std::uint64_t incarnation_ = 0;
  std::map<std::string, topic_state, std::less<>> topics_;
  std::optional<held_batch> held_;
  base::time_point asked_{};
  base::time_point answered_{};
  observed_process seen_;
  wire::batch_reader reader_;
  wire::byte_writer aligned_;
};

}  // namespace amphibus::zeromq
