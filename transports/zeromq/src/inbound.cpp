#include "inbound.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <amphibus/base/event.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "sockets.hpp"

namespace amphibus::zeromq {
namespace {

constexpr int batches_per_turn = 16;
constexpr std::size_t turn_max_bytes = std::size_t{2} << 20U;  // the other routes and peers wait so long
constexpr auto report_interval = std::chrono::seconds(1);
constexpr std::size_t streams_max = 20'000;
constexpr std::size_t run_max =
    256;  // delivered in one go: who ends a subscription waits for it, and sleepers for its end

std::string_view text_of(const zmq::message_t& frame) { return {frame.data<char>(), frame.size()}; }

bool covers(const std::set<std::string, std::less<>>& patterns, std::string_view topic) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& each) { return wire::topic_matches(each, topic); });
}

}  // namespace

bool inbound::interests::include(std::string_view topic) const {
  return topics.contains(topic) || covers(patterns, topic);
}

void inbound::progress::keep(const interests& wanted) {
  std::erase_if(streams_, [&](const auto& each) { return !wanted.include(each.first); });
}

inbound::inbound(zmq::socket_t socket, settings with, callbacks call, transport::host& host, progress from)
    : socket_(std::move(socket)), settings_(std::move(with)), call_(std::move(call)), host_(host) {
  socket_.set(zmq::sockopt::subscribe, std::string(goodbye_topic));
  if (from.producer_ == settings_.producer) streams_ = std::move(from.streams_);
}

inbound::progress inbound::take_progress() {
  if (begun_) stream_->next_sequence -= in_window();  // in hand and not delivered
  begun_ = false;
  for (auto& [topic, of] : streams_) tell_dropped(of, topic);  // whatever comes next, these are lost
  progress out;
  out.producer_ = settings_.producer;
  out.streams_ = std::move(streams_);
  for (auto& [topic, of] : out.streams_) of.to = nullptr;  // who takes it may be gone before there is another link
  return out;
}

void inbound::subscribe(interests wanted, std::uint64_t own_incarnation, std::uint64_t revision) {
  const interests before = std::exchange(wanted_, std::move(wanted));
  filter();
  std::erase_if(synced_, [this](const std::string& each) { return !wanted_.patterns.contains(each); });
  for (auto& [topic, of] : streams_) {
    const bool ended_by_name = before.topics.contains(topic) && !wanted_.topics.contains(topic);
    const bool still_wanted = wanted_.include(topic);
    if (ended_by_name) of.to = nullptr;  // a pattern that covers it may be of another type
    // What is published meanwhile is for nobody here: a later subscription has not lost it.
    if (!still_wanted || (ended_by_name && find_way(of, topic) != way::open)) forget(of, topic);
    of.wanted = still_wanted;
  }
  const std::string next = marker_topic(own_incarnation, revision);
  if (next == marker_) return;
  if (!marker_.empty()) socket_.set(zmq::sockopt::unsubscribe, marker_);
  marker_ = next;
  socket_.set(zmq::sockopt::subscribe, marker_);
}

void inbound::forget(stream& of, std::string_view topic) {
  tell_dropped(of, topic);
  if (stream_ == &of && std::exchange(pending_, false)) window_begin_ = window_end_;
  of = {};
}

void inbound::filter() {
  std::set<std::string> next;
  for (const std::string& each : wanted_.topics) next.insert(each + '\0');
  for (const std::string& each : wanted_.patterns) {
    for (std::string& filter : filters_of(each)) next.insert(std::move(filter));
  }
  for (const std::string& each : next) {
    if (!filters_.contains(each)) socket_.set(zmq::sockopt::subscribe, each);
  }
  for (const std::string& each : filters_) {
    if (!next.contains(each)) socket_.set(zmq::sockopt::unsubscribe, each);
  }
  filters_ = std::move(next);
}

base::time_point inbound::next_timer() const noexcept {
  return pending_ ? pending_since_ + settings_.stall_max : base::time_point::max();
}

bool inbound::work(base::time_point now) {
  bool moved = false;
  if (pending_) {
    if (!deliver_rest(now)) return false;
    moved = true;
  }
  std::size_t bytes = 0;
  for (int i = 0; i != batches_per_turn && bytes < turn_max_bytes && !pending_ && receive(); ++i) {
    bytes += frame_->bytes().size();
    accept(text_of(topic_frame_), now);
    moved = true;
  }
  return moved;
}

bool inbound::receive() {
  if (!socket_.recv(topic_frame_, zmq::recv_flags::dontwait)) return false;
  zmq::message_t body;
  int frames = 1;
  bool more = topic_frame_.more();
  while (more) {
    zmq::message_t next;
    static_cast<void>(socket_.recv(next, zmq::recv_flags::dontwait));
    more = next.more();
    if (++frames == 2) body = std::move(next);
  }
  host_.count_bytes(0, topic_frame_.size() + body.size());
  if (frames != 2) body.rebuild();
  if (!frame_->is_unique()) frame_ = frames_->take();  // somebody keeps a message of the last one
  copied_bytes_ += frame_->fill(std::move(body));
  return true;
}

void inbound::accept(std::string_view topic, base::time_point now) {
  if (const char* why = batch_.open(frame_->bytes(), frame_.get())) return reject(why);
  if (batch_.header().producer != settings_.producer) return reject("a batch of another incarnation of the peer");
  switch (batch_.header().kind) {
    case wire::batch_kind::goodbye: count_lost_tails(); return call_.on_goodbye();
    case wire::batch_kind::sync: {
      const auto answered = parse_marker(topic);
      if (!answered || topic != marker_) return;  // of an earlier revision
      adopt_baselines();
      return call_.on_sync(answered->revision);
    }
    case wire::batch_kind::messages: break;
  }
  if (accept_batch(topic)) deliver_rest(now);
}

bool inbound::accept_batch(std::string_view topic) {
  if (topic.empty() || topic.back() != '\0') return reject("a data topic without its NUL"), false;
  topic.remove_suffix(1);
  if (!wire::check_topic_name(topic).ok()) return reject("a data topic that breaks the grammar"), false;
  stream_ = find_stream(topic);
  begun_ = false;
  if (stream_ == nullptr) return false;  // ended here, or let through with a pattern's prefix: normal
  topic_ = topic;
  return true;
}

inbound::stream* inbound::find_stream(std::string_view topic) {
  if (const auto found = streams_.find(topic); found != streams_.end()) {
    return found->second.wanted ? &found->second : nullptr;
  }
  if (!wanted_.include(topic)) return nullptr;
  if (streams_.size() >= streams_max) return reject("more than 20,000 topics"), nullptr;
  stream made;
  made.wanted = true;
  made.next_sequence = covers(synced_, topic) ? 1 : 0;
  return &streams_.emplace(std::string(topic), made).first->second;
}

inbound::way inbound::find_way(stream& of, std::string_view topic) {
  if (of.to != nullptr) return way::open;
  const auto announced = call_.announced(topic);
  if (!announced) return way::unknown;
  of.to = host_.find_ingress(*announced);
  if (of.to != nullptr) return way::open;
  tell_dropped(of, topic);
  of = {.wanted = true};  // passed over: no loss to whoever wants it later
  return way::none;
}

bool inbound::begin_batch(base::time_point now) {
  stream& of = *stream_;
  const way found = find_way(of, topic_);
  const bool over = of.stalled || (pending_ && now - pending_since_ >= settings_.stall_max);
  if (found == way::unknown && !over) {
    if (!std::exchange(pending_, true)) pending_since_ = now;
    return false;
  }
  pending_ = false;
  if (found == way::none) return false;
  sequence_ = batch_.header().first_sequence;
  if (of.next_sequence == 0) of.next_sequence = sequence_;
  if (sequence_ > of.next_sequence) count_gap(of, topic_, sequence_ - of.next_sequence);
  begun_ = true;
  if (found == way::unknown) give_up_batch();
  return true;
}

void inbound::give_up_batch() {
  if (!std::exchange(stream_->stalled, true)) {
    host_.report({event_kind::peer_stalled, topic_, "", settings_.peer, 0,
                  "the peer sends this topic and did not announce it for peer_stall_max: dropped until it does"});
  }
  while (fill_window()) {
    stream_->lost += in_window();
    stream_->dropped += in_window();
  }
}

template <class Take>
bool inbound::read_numbers(Take take) {
  std::span<const std::byte> rest = batch_.body();
  while (rest.size() >= 2) {
    std::uint16_t size = 0;
    std::uint64_t next = 0;
    std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() < sizeof size + size + sizeof next) return reject("stream numbers that end too early"), false;
    const std::string name(reinterpret_cast<const char*>(rest.data()) + sizeof size, size);
    std::memcpy(&next, rest.data() + sizeof size + size, sizeof next);
    rest = rest.subspan(sizeof size + size + sizeof next);
    if (!wire::check_topic_name(name).ok()) continue;
    if (stream* const of = find_stream(name)) take(*of, name, next);
  }
  return true;
}

void inbound::adopt_baselines() {
  const bool whole = read_numbers([this](stream& of, const std::string& name, std::uint64_t next) {
    if (of.next_sequence != 0) count_lost(of, name, next);
    if (of.next_sequence == 0) of.next_sequence = next;  // also where it is passed over
  });
  if (!whole) return;
  // Topics the peer has not published yet begin at 1.
  for (const std::string& each : wanted_.topics) find_stream(each);
  for (auto& [topic, of] : streams_) {
    if (of.wanted && of.next_sequence == 0) of.next_sequence = 1;
  }
  synced_ = wanted_.patterns;
}

void inbound::count_lost_tails() {
  read_numbers([this](stream& of, const std::string& name, std::uint64_t next) {
    if (of.next_sequence != 0) count_lost(of, name, next);
  });
  for (auto& [topic, of] : streams_) tell_dropped(of, topic);
}

void inbound::tell_dropped(stream& of, std::string_view topic) {
  const std::uint64_t count = std::exchange(of.dropped, 0);
  if (count == 0) return;
  host_.report({event_kind::gap, std::string(topic), "", settings_.peer, count,
                "dropped while the subscription here was stalled"});
}

void inbound::count_lost(stream& of, const std::string& topic, std::uint64_t next) {
  if (next > of.next_sequence && find_way(of, topic) == way::open) count_gap(of, topic, next - of.next_sequence);
}

void inbound::count_gap(stream& of, std::string_view topic, std::uint64_t lost) {
  of.next_sequence += lost;
  of.lost += lost;
  host_.report({event_kind::gap, std::string(topic), "", settings_.peer, lost,
                "lost on the way: the route is drop_newest, the link broke, or a message was given up"});
}

bool inbound::deliver_rest(base::time_point now) {
  if (!begun_ && !begin_batch(now)) return !pending_;
  while (window_begin_ != window_end_ || fill_window()) {
    if (hand_over(now)) continue;
    if (!std::exchange(pending_, true)) pending_since_ = now;
    return false;
  }
  pending_ = false;
  return true;
}

std::uint64_t inbound::in_window() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = window_begin_; i != window_end_; ++i) sum += window_[i].count;
  return sum;
}

bool inbound::fill_window() {
  // Faults are decided message by message, with room for a second one.
  const std::size_t most = settings_.faults == nullptr ? run_max : 1;
  wire::received_run& next = window_[0];
  window_begin_ = 0;
  window_end_ = 0;
  while (window_end_ == 0 && batch_.next_run(next, most)) {
    const std::uint64_t begin = std::exchange(sequence_, sequence_ + next.count);
    const std::uint64_t seen = stream_->next_sequence > begin ? stream_->next_sequence - begin : 0;
    if (seen >= next.count) continue;
    if (seen != 0) next = next.without(static_cast<std::size_t>(seen));
    window_end_ = 1;
  }
  if (window_end_ == 0) return false;
  stream_->next_sequence = sequence_;
  if (settings_.faults != nullptr) break_window();
  return true;
}

void inbound::break_window() {
  switch (settings_.faults->at("zeromq.deliver")) {
    case base::fault_action::lose: window_begin_ = window_end_; break;
    case base::fault_action::duplicate: window_[window_end_++] = window_[0]; break;
    case base::fault_action::swap:
      if (!batch_.next_run(window_[1], 1)) break;
      std::swap(window_[0], window_[1]);
      stream_->next_sequence = ++sequence_;
      ++window_end_;
      break;
    case base::fault_action::none: break;
  }
}

bool inbound::hand_over(base::time_point now) {
  while (window_begin_ != window_end_) {
    wire::received_run& rest = window_[window_begin_];
    rest.head.with.lost_before = stream_->lost;
    const auto [count, next] = stream_->to->deliver(rest);
    if (count != 0) {
      pending_since_ = now;  // what takes something is slow, not stalled
      stream_->stalled = false;
      stream_->lost = 0;
      tell_dropped(*stream_, topic_);
    }
    const bool all = count == rest.count;
    rest = rest.without(count);
    if (!all) {
      if (!settle_one(next, now)) return false;
      rest = rest.without(1);
    }
    if (rest.empty()) ++window_begin_;
  }
  return true;
}

bool inbound::settle_one(transport::delivery why, base::time_point now) {
  if (why == transport::delivery::no_subscriber) return true;
  if (why == transport::delivery::undecodable) {
    ++stream_->lost;
    reject("a payload that its codec refuses");
    return true;
  }
  const bool over = pending_ && now - pending_since_ >= settings_.stall_max;
  if (!over && !stream_->stalled) return false;
  if (!std::exchange(stream_->stalled, true)) {
    host_.report({event_kind::peer_stalled, topic_, "", settings_.peer, 0,
                  "a subscription here took nothing for peer_stall_max: its messages are dropped until it does"});
  }
  ++stream_->lost;
  ++stream_->dropped;
  return true;
}

void inbound::reject(const char* why) {
  ++rejected_;
  const auto now = host_.clock().now();
  if (now < next_report_) return;
  next_report_ = now + report_interval;
  host_.report({event_kind::rejected_input, "", "", settings_.peer, std::exchange(rejected_, 0),
                std::string(why) + ": something that is no Amphibus peer of this version sends to a data socket"});
}

}  // namespace amphibus::zeromq
