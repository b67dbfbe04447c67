#include "outbound.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <amphibus/base/event.hpp>

namespace amphibus::zeromq {
namespace {

constexpr std::size_t drain_max = 256;
constexpr std::size_t flush_max = 16'384;
constexpr std::size_t flush_max_bytes = 2U << 20U;  // large messages must not keep everything else waiting
constexpr std::size_t loaded_min = 256;
constexpr std::size_t full_enough = flush_max / 2;
constexpr int naps_max = 10;
constexpr std::size_t copied_below_bytes = 4096;
// libzmq calls an XPUB writable always, so polling for it would spin. What waits behind us lasts for longer than this.
constexpr auto retry_interval = std::chrono::milliseconds(1);
constexpr auto expectation = std::chrono::milliseconds(5);
constexpr auto goodbye_interval = std::chrono::milliseconds(50);

zmq::message_t copy_of(std::span<const std::byte> bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

outbound::outbound(zmq::socket_t socket, settings with, transport::egress& from, transport::host& host, callbacks call)
    : socket_(std::move(socket)),
      settings_(with),
      batch_cap_bytes_(batch_cap_bytes(with.pipe_max_bytes, with.block)),
      from_(from),
      host_(host),
      on_first_message_(std::move(call.on_first_message)),
      message_bytes_(flush_max_bytes),
      pool_(std::make_shared<frame_pool>(with.pipe_max_bytes, std::move(call.on_room))) {}

bool outbound::work(base::time_point now) {
  bool moved = false;
  while (!waiting_.empty() && try_send(waiting_.front())) {
    waiting_.pop_front();
    moved = true;
    expects_until_ = now + expectation;
  }
  if (!owed_syncs_.empty() && now >= retry_at_) {
    std::erase_if(owed_syncs_, [this](const std::string& each) { return try_sync(each); });
  }
  retry_at_ = now + retry_interval;
  if (blocked()) return moved;
  if (now >= goodbye_again_at_) send_goodbye(now);
  if (unfinished_ != 0) from_.finished(std::exchange(unfinished_, 0));
  held_up_ = is_held_up();
  if (held_up_) return moved;
  const std::size_t count = drain_backlog();
  if (count == 0) {
    if (now >= repeat_at_) repeat_idle();
    return moved;
  }
  flush_all();
  expects_until_ = now + expectation;
  repeat_at_ = now + settings_.idle_repeat_after;
  // Handed over means: libzmq has it. What a slow peer does not take is still ours.
  blocked() ? void(unfinished_ += count) : from_.finished(count);
  return true;
}

bool outbound::is_held_up() {
  // Where the route drops, a slow peer must not hold up the others; nor an observer, who shares the bytes.
  return settings_.block && tap_ == nullptr && !pool_->has_room();
}

std::size_t outbound::drain_backlog() {
  std::size_t count = 0;
  int naps = 0;
  taken_bytes_ = 0;
  while (count < flush_max && taken_bytes_ < flush_max_bytes && !blocked()) {
    const std::size_t before = taken_bytes_;
    const std::size_t most = std::clamp<std::size_t>((flush_max_bytes - before) / message_bytes_, 1, drain_max);
    const std::size_t some = from_.drain(most, *this);
    count += some;
    if (some != 0) message_bytes_ = std::max<std::size_t>((taken_bytes_ - before) / some, 1);
    if (2 * some >= most) continue;
    // A lone message leaves at once. Under load the publisher is right behind us: let it run, and send fewer, larger
    // frames.
    if (count < loaded_min || count >= full_enough || naps++ == naps_max) break;
    std::this_thread::yield();
  }
  return count;
}

outbound::stream& outbound::stream_of(std::string_view topic) {
  if (topic.data() == last_topic_) return *last_stream_;
  auto& found = streams_[topic.data()];
  if (!found) {
    found = std::make_unique<stream>();
    found->name = std::string(topic) + '\0';
    on_first_message_();
  }
  last_topic_ = topic.data();
  last_stream_ = found.get();
  return *found;
}

outbound::stream& outbound::open_batch(std::string_view topic, const wire::codec_operations& operations) {
  stream& to = stream_of(topic);
  to.schema_hash = operations.schema_hash;
  if (to.open) return to;
  to.batch.begin({wire::batch_kind::messages, host_.incarnation(), to.next_sequence, to.schema_hash});
  to.open = true;
  open_.push_back(&to);
  return to;
}

void outbound::on_message(std::string_view topic, const wire::codec_operations& operations, const wire::envelope& with,
                          const void* value) {
  stream& to = open_batch(topic, operations);
  const std::size_t before = to.batch.size_bytes();
  const bool taken = to.batch.add(with, operations, value, settings_.message_size_max_bytes);
  taken ? added(to, 1, before) : refused(to);
}

void outbound::on_run(std::string_view topic, const wire::codec_operations& operations, const message_id& first,
                      const wire::value_run& values) {
  for (std::size_t done = 0; done != values.count;) {
    stream& to = open_batch(topic, operations);
    const std::size_t before = to.batch.size_bytes();
    const std::size_t count = to.batch.add_run(first.source.index, first.sequence + done, operations,
                                               values.without(done), settings_.message_size_max_bytes, batch_cap());
    done += count;
    added(to, count, before);
    if (done == values.count || !to.open) continue;
    refused(to);
    ++done;
  }
}

void outbound::added(stream& to, std::size_t count, std::size_t before) {
  to.next_sequence += count;
  taken_bytes_ += to.batch.size_bytes() - before;
  if (to.batch.size_bytes() >= batch_cap()) flush(to);
}

void outbound::refused(stream& to) {
  flush(to);
  ++to.next_sequence;  // the receiver must see that one is missing
  give_up(to, "its codec refuses it or it is larger than [limits] message_size_max_bytes");
}

void outbound::give_up(const stream& of, const char* why) {
  host_.report({event_kind::undeliverable, of.name.substr(0, of.name.size() - 1), "", "", 1,
                std::string(why) + " (" + std::to_string(settings_.message_size_max_bytes) +
                    " bytes): raise the limit on every process, or send a reference instead"});
}

void outbound::on_dropped(std::string_view topic, std::uint64_t count) {
  stream& to = stream_of(topic);
  if (to.open) flush(to);
  to.next_sequence += count;
  if (!std::exchange(to.repeat_due, true)) to_repeat_.push_back(&to);
}

void outbound::flush(stream& of) {
  const auto open = std::find(open_.begin(), open_.end(), &of);
  if (open != open_.end()) open_.erase(open);
  of.open = false;
  if (of.batch.count() != 0) send(of);
  if (!std::exchange(of.repeat_due, true)) to_repeat_.push_back(&of);
}

void outbound::flush_all() {
  while (!open_.empty()) flush(*open_.back());
}

void outbound::repeat_idle() {
  for (stream* each : to_repeat_) {
    each->batch.begin({wire::batch_kind::messages, host_.incarnation(), each->next_sequence, each->schema_hash});
    send(*each);
    each->repeat_due = false;
  }
  to_repeat_.clear();
  repeat_at_ = base::time_point::max();
}

std::vector<std::byte> outbound::next_numbers() const {
  wire::byte_writer out;
  for (const auto& [address, each] : streams_) {
    const auto size = static_cast<std::uint16_t>(each->name.size() - 1);
    out.append(&size, sizeof size);
    out.append(each->name.data(), size);
    out.append(&each->next_sequence, sizeof each->next_sequence);
  }
  return {out.bytes().begin(), out.bytes().end()};
}

zmq::message_t outbound::numbers_frame(wire::batch_kind kind) {
  wire::batch_writer batch;
  batch.begin({kind, host_.incarnation(), 0, 0});
  batch.add_raw(next_numbers());
  return copy_of(batch.finish());
}

void outbound::send_sync(const std::string& marker) {
  flush_all();
  // Whoever asks again and takes nothing is owed one answer: each has the numbers of every stream.
  if (settings_.block) {
    std::erase_if(waiting_, [&](const waiting_frame& each) { return each.topic.to_string_view() == marker; });
    return send(marker, numbers_frame(wire::batch_kind::sync));
  }
  const bool owed = std::find(owed_syncs_.begin(), owed_syncs_.end(), marker) != owed_syncs_.end();
  if (!owed && !try_sync(marker)) owed_syncs_.push_back(marker);
}

bool outbound::try_sync(const std::string& marker) {
  waiting_frame frame{zmq::message_t(marker.data(), marker.size()), numbers_frame(wire::batch_kind::sync)};
  // Only who asked subscribes to the marker: nobody else's full pipe refuses it.
  socket_.set(zmq::sockopt::xpub_nodrop, 1);
  const bool sent = try_send(frame);
  socket_.set(zmq::sockopt::xpub_nodrop, 0);
  return sent;
}

void outbound::send_goodbye(base::time_point now) {
  flush_all();
  send(goodbye_topic, numbers_frame(wire::batch_kind::goodbye));
  if (!settings_.block) goodbye_again_at_ = now + goodbye_interval;
}

void outbound::send(stream& of) {
  const auto bytes = of.batch.finish();
  const bool small = bytes.size() < copied_below_bytes;
  send(of.name, small ? copy_of(bytes) : pool_->frame_of(of.batch.exchange_buffer(pool_->take())));
}

void outbound::send(std::string_view topic, zmq::message_t body) {
  waiting_frame frame{zmq::message_t(topic.data(), topic.size()), std::move(body)};
  if (!waiting_.empty() || !try_send(frame)) waiting_.push_back(std::move(frame));
}

bool outbound::try_send_shown(waiting_frame& frame) {
  zmq::message_t topic;
  zmq::message_t body;
  topic.copy(frame.topic);  // shares the bytes
  body.copy(frame.body);
  tap_socket* const there = std::exchange(tap_, nullptr);
  const bool sent = try_send(frame);
  tap_ = there;
  if (sent) tap_->show(std::move(topic), std::move(body));
  return sent;
}

bool outbound::try_send(waiting_frame& frame) {
  if (tap_ != nullptr) [[unlikely]]
    return try_send_shown(frame);
  const std::size_t size = frame.topic.size() + frame.body.size();
  // Without NODROP (drop_newest routes) libzmq drops for a slow subscriber alone and never refuses.
  if (!socket_.send(frame.topic, zmq::send_flags::sndmore | zmq::send_flags::dontwait)) return false;
  socket_.send(frame.body, zmq::send_flags::dontwait);
  host_.count_bytes(size, 0);
  return true;
}

}  // namespace amphibus::zeromq
