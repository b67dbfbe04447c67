#include "watch.hpp"

#include <amphibus/base/event.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "observers.hpp"
#include "sockets.hpp"

namespace amphibus::zeromq {
namespace {

constexpr auto ask_interval = std::chrono::seconds(1);
constexpr auto describe_interval = std::chrono::milliseconds(20);
constexpr auto description_max = std::chrono::seconds(2);  // then a message is shown without its schema
constexpr int farewell_max_ms = 100;
constexpr int batches_per_turn = 64;
constexpr std::size_t topics_max = 20'000;  // of one process, as everywhere
// What a file may allow, and what is around it.
constexpr std::size_t frame_size_max_bytes = (std::size_t{1} << 30U) + (std::size_t{1} << 20U);

std::span<const std::byte> bytes_of(const zmq::message_t& frame) { return {frame.data<std::byte>(), frame.size()}; }

/// The two frames of a message; more, or fewer, are passed over.
bool receive_two(zmq::socket_t& from, zmq::message_t& first, zmq::message_t& second) {
  for (;;) {
    if (!from.recv(first, zmq::recv_flags::dontwait)) return false;
    int frames = 1;
    for (bool more = first.more(); more; ++frames) {
      zmq::message_t next;
      static_cast<void>(from.recv(next, zmq::recv_flags::dontwait));
      more = next.more();
      if (frames == 1) second = std::move(next);
    }
    if (frames == 2) return true;
  }
}

}  // namespace

watch::watch(zmq::context_t& context, observer_options::process of, const observer_options& with, base::time_point now)
    : context_(context), of_(std::move(of)), pattern_(with.pattern), silence_max_(with.silence_max) {
  seen_.name = of_.name;
  connect(now);
}

void watch::connect(base::time_point now) {
  if (dealer_) say_bye();  // if it is there after all, it need not keep a place for who we were
  dealer_ = zmq::socket_t(context_, zmq::socket_type::dealer);
  prepare_control(dealer_);
  dealer_.set(zmq::sockopt::sndhwm, 16);
  dealer_.connect(of_.endpoint);
  answered_ = asked_ = now;
  send(observe{});
}

void watch::send(const control_body& body) {
  const auto bytes = encode({observer_incarnation, body});
  static_cast<void>(dealer_.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::dontwait));
}

void watch::say_bye() {
  dealer_.set(zmq::sockopt::linger, farewell_max_ms);
  send(bye{});
}

void watch::on_timer(base::time_point now) {
  if (seen_.state == observation::ended || seen_.state == observation::refused) return;
  if (now - answered_ >= silence_max_) {
    connect(now);
    seen_.state = observation::silent;
    return;
  }
  if (now - asked_ < ask_interval) return;
  asked_ = now;
  send(observe{});
}

void watch::receive_control(base::time_point now) {
  zmq::message_t frame;
  while (dealer_.recv(frame, zmq::recv_flags::dontwait)) {
    control_message message;
    if (frame.more() || decode(bytes_of(frame), message) != nullptr) continue;
    on_control(now, message, message.incarnation);
  }
}

void watch::on_control(base::time_point now, const control_message& message, std::uint64_t from) {
  if (seen_.state == observation::ended) return;  // an answer may come behind the goodbye
  answered_ = now;
  if (const auto* yes = std::get_if<observed>(&message.body)) {
    seen_.state = observation::watching;
    if (from == incarnation_ && yes->tap_endpoint == tap_endpoint_) return;
    topics_.clear();
    incarnation_ = from;
    open_tap(yes->tap_endpoint);
  } else if (const auto* no = std::get_if<reject>(&message.body)) {
    refuse(error(static_cast<error_code>(no->code), escaped(no->text, control_text_size_max_bytes),
                 "see docs/errors.md for the number", {"process " + of_.name}));
  } else if (std::holds_alternative<bye>(message.body)) {
    seen_.state = observation::ended;
  }
}

void watch::open_tap(const std::string& endpoint) {
  held_.reset();
  tap_endpoint_ = endpoint;
  batches_ = zmq::socket_t(context_, zmq::socket_type::sub);
  descriptions_ = zmq::socket_t(context_, zmq::socket_type::sub);
  for (auto* each : {&batches_, &descriptions_}) {
    harden(*each, frame_size_max_bytes);
    each->set(zmq::sockopt::rcvhwm, tap_frames_max);
  }
  for (const std::string& each : filters_of(pattern_)) batches_.set(zmq::sockopt::subscribe, each);
  // A socket of its own, so that a description does not wait behind the batches that wait for it.
  descriptions_.set(zmq::sockopt::subscribe, std::string(description_prefix));
  try {
    batches_.connect(endpoint);
    descriptions_.connect(endpoint);
  } catch (const zmq::error_t&) {
    refuse(error(error_code::endpoint_invalid,
                 "process '" + of_.name + "' says that its tap endpoint is '" + escaped(endpoint) + "', which is none",
                 "check `advertise` in the file", {"process " + of_.name}));
  }
}

void watch::refuse(error why) {
  seen_.state = observation::refused;
  seen_.refusal = std::move(why);
}

void watch::receive_descriptions() {
  zmq::message_t name;
  zmq::message_t body;
  while (receive_two(descriptions_, name, body)) {
    control_message message;
    if (decode(bytes_of(body), message) != nullptr || message.incarnation != incarnation_) continue;
    const auto* said = std::get_if<described>(&message.body);
    if (said == nullptr) continue;
    const auto known = topics_.find(said->topic);
    if (known != topics_.end()) known->second.what = *said;
  }
}

bool watch::receive_batches(base::time_point now, const message_sink& on_message) {
  if (tap_endpoint_.empty()) return true;
  receive_descriptions();
  if (held_ && !hand_out(now, *held_, on_message)) return false;
  zmq::message_t topic;
  zmq::message_t body;
  for (int i = 0; i != batches_per_turn && !held_ && receive_two(batches_, topic, body); ++i) {
    held_ = held_batch{topic.to_string(), std::move(body)};
    if (!hand_out(now, *held_, on_message)) return false;
  }
  return true;
}

bool watch::is_described(base::time_point now, topic_state& of, const std::string& topic) {
  if (of.what) return true;
  if (of.asked_first == base::time_point{}) of.asked_first = now;
  if (now - of.asked_last >= describe_interval) {  // an answer that came before our subscription was effective is lost
    of.asked_last = now;
    send(describe{topic});
  }
  return now - of.asked_first >= description_max;
}

void watch::skip_to(topic_state& of, std::uint64_t number) {
  if (of.next != 0 && number > of.next) seen_.missed += number - of.next;
  of.next = number;
}

bool watch::hand_out(base::time_point now, held_batch& batch, const message_sink& on_message) {
  std::span<const std::byte> bytes = bytes_of(batch.body);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) {
    aligned_.clear();
    aligned_.append(bytes);
    bytes = aligned_.bytes();
  }
  std::string topic = batch.topic.substr(0, batch.topic.size() - 1);
  const bool wanted = wire::check_topic_name(topic).ok() && wire::topic_matches(pattern_, topic);
  const bool good = wanted && reader_.open(bytes) == nullptr && reader_.header().kind == wire::batch_kind::messages &&
                    (topics_.contains(topic) || topics_.size() < topics_max);
  if (!good) return held_.reset(), true;
  topic_state& of = topics_[topic];
  if (!is_described(now, of, topic)) return true;
  std::uint64_t number = reader_.header().first_sequence;
  const std::uint64_t missed_before = of.next != 0 && number > of.next ? number - of.next : 0;
  skip_to(of, number);
  wire::received_message each;
  observed_message out{of_.name, topic, 0, missed_before, {}, {}, {}, {}};
  if (of.what) out.type_name = of.what->type_name;
  if (of.what && of.what->schema_hash == reader_.header().schema_hash) out.binary_schema = of.what->binary_schema;
  while (reader_.next(each)) {
    out.number = number++;
    out.with = each.with;
    out.payload = each.payload;
    of.next = number;
    ++seen_.messages;
    if (!on_message(out)) return held_.reset(), false;
    out.missed_before = 0;
  }
  held_.reset();
  return true;
}

void watch::add_to(std::vector<zmq::pollitem_t>& polled) {
  polled.push_back({dealer_.handle(), 0, ZMQ_POLLIN, 0});
  if (tap_endpoint_.empty()) return;
  polled.push_back({descriptions_.handle(), 0, ZMQ_POLLIN, 0});
  if (!held_) polled.push_back({batches_.handle(), 0, ZMQ_POLLIN, 0});
}

}  // namespace amphibus::zeromq
