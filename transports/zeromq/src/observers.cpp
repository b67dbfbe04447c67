#include "observers.hpp"

#include <algorithm>

#include "sockets.hpp"

namespace amphibus::zeromq {
namespace {

constexpr auto answers_window = std::chrono::seconds(1);

}  // namespace

void tap_socket::show(zmq::message_t topic, zmq::message_t batch) {
  if (batch.size() <= tap_batch_size_max_bytes) send(std::move(topic), std::move(batch));
}

void tap_socket::show(const control_message& what) {
  const auto* about = std::get_if<described>(&what.body);
  if (about == nullptr) return;
  const std::string topic = description_topic(about->topic);
  const auto bytes = encode(what);
  send(zmq::message_t(topic.data(), topic.size()), zmq::message_t(bytes.data(), bytes.size()));
}

void tap_socket::send(zmq::message_t topic, zmq::message_t body) {
  if (!socket_.send(topic, zmq::send_flags::sndmore | zmq::send_flags::dontwait)) return;
  static_cast<void>(socket_.send(body, zmq::send_flags::dontwait));
}

bool observers::concerns(const std::string& id, const control_message& message) const {
  const bool leaves = std::holds_alternative<bye>(message.body) && message.incarnation == observer_incarnation;
  return std::holds_alternative<observe>(message.body) || leaves || known_.contains(id);
}

std::optional<control_body> observers::on_message(base::time_point now, const std::string& id,
                                                  const control_message& message) {
  if (std::holds_alternative<bye>(message.body)) {
    known_.erase(id);
    close_unless_observed();
    return std::nullopt;
  }
  if (!may_answer(now)) return std::nullopt;
  if (const auto* asked = std::get_if<observe>(&message.body)) return admit(now, id, *asked);
  if (const auto* asked = std::get_if<describe>(&message.body)) {
    tap_->show({settings_.incarnation, call_.describe_topic(asked->topic)});
  }
  return std::nullopt;
}

control_body observers::admit(base::time_point now, const std::string& id, const observe& asked) {
  if (const auto why = objection(id, asked)) {
    return reject{static_cast<std::uint16_t>(why->code()), why->text()};
  }
  known_[id] = now;
  return observed{settings_.process, tap_->endpoint()};
}

std::optional<error> observers::objection(const std::string& id, const observe& asked) {
  if (protocol_version < asked.protocol_min || protocol_version > asked.protocol_max) {
    return error(error_code::peer_protocol,
                 "process '" + settings_.process + "' speaks protocol " + std::to_string(protocol_version) +
                     ", the observer " + std::to_string(asked.protocol_min) + " to " +
                     std::to_string(asked.protocol_max),
                 "use the tool of the same version");
  }
  if (known_.contains(id)) return std::nullopt;
  if (known_.size() >= settings_.count_max) {
    return error(
        error_code::observer_refused,
        "process '" + settings_.process + "' takes " + std::to_string(settings_.count_max) + " observers, and has them",
        "end another, or raise zeromq::options::observers_max");
  }
  try {
    if (!tap_) tap_.emplace(call_.open_tap());
    return std::nullopt;
  } catch (const std::exception& why) {
    return error(error_code::observer_refused,
                 "process '" + settings_.process + "' cannot open a tap endpoint: " + why.what(),
                 "free a port or a file descriptor there");
  }
}

void observers::on_timer(base::time_point now) {
  std::erase_if(known_, [&](const auto& each) { return now - each.second >= settings_.silence_max; });
  close_unless_observed();
}

void observers::close_unless_observed() {
  if (known_.empty()) tap_.reset();
}

base::time_point observers::next_timer() const noexcept {
  auto earliest = base::time_point::max();
  for (const auto& [id, heard] : known_) earliest = std::min(earliest, heard + settings_.silence_max);
  return earliest;
}

bool observers::may_answer(base::time_point now) {
  if (now - window_begin_ >= answers_window) {
    window_begin_ = now;
    answers_ = 0;
  }
  return answers_++ < observer_answers_max;
}

}  // namespace amphibus::zeromq
