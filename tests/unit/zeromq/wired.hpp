#pragma once

// One inbound fed by a bare PUB socket in this thread: what a peer, or whoever sits on its data port, can send.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <amphibus/testing/fault_points.hpp>
#include <amphibus/testing/manual_clock.hpp>
#include <amphibus/wire/crc32c.hpp>

#include "inbound.hpp"
#include "sockets.hpp"

namespace zeromq_test {

using namespace amphibus;
using namespace amphibus::zeromq;

inline constexpr std::uint64_t producer = 11;
inline constexpr std::uint64_t own = 12;

inline bool encode_number(const void* value, wire::byte_writer& out) {
  out.append(value, sizeof(std::uint64_t));
  return true;
}
inline bool decode_nothing(std::span<const std::byte>, void*) { return true; }
inline constexpr wire::codec_operations number_codec{"number", 1, 1, &encode_number, &decode_nothing};

/// Takes messages until it is told not to.
class recorder final : public transport::ingress {
 public:
  std::vector<std::uint64_t> values;
  std::vector<std::uint64_t> lost_before;
  std::size_t room = 1'000'000;
  std::uint64_t refused_value = ~std::uint64_t{0};

  transport::delivery_progress deliver(const wire::received_run& messages) override {
    for (std::size_t i = 0; i != messages.count; ++i) {
      std::uint64_t value = 0;
      if (messages[i].payload.size() != sizeof value) return {i, transport::delivery::undecodable};
      std::memcpy(&value, messages[i].payload.data(), sizeof value);
      if (value == refused_value) return {i, transport::delivery::undecodable};
      if (room == 0) return {i, transport::delivery::full};
      --room;
      values.push_back(value);
      lost_before.push_back(messages[i].with.lost_before);
    }
    return {messages.count, transport::delivery::delivered};
  }
};

class fake_host : public transport::host {
 public:
  testing::manual_clock time;
  std::map<std::string, recorder, std::less<>> topics_here;
  std::vector<event> events;

  [[nodiscard]] std::uint64_t incarnation() const noexcept override { return own; }
  [[nodiscard]] base::clock& clock() const noexcept override { return const_cast<testing::manual_clock&>(time); }
  [[nodiscard]] std::vector<transport::topic_info> topics() const override { return {}; }
  [[nodiscard]] std::vector<transport::pattern_info> patterns() const override { return {}; }
  [[nodiscard]] std::vector<transport::group_info> groups() const override { return {}; }
  [[nodiscard]] transport::egress& egress_of(std::size_t) override {
    throw std::logic_error("an inbound needs no egress");
  }
  void offer_topic(const transport::topic_info&) override {}
  [[nodiscard]] transport::ingress* find_ingress(const transport::topic_info& of_peer) override {
    const auto found = topics_here.find(of_peer.name);
    return found == topics_here.end() ? nullptr : &found->second;
  }
  void set_remote_interest(std::string_view, bool) override {}
  void set_remote_pattern(const transport::pattern_info&, bool) override {}
  void report(const event& what) override { events.push_back(what); }
  void count_bytes(std::uint64_t, std::uint64_t) noexcept override {}
  void set_all_peers_ready(bool) override {}
  void fail(error) override {}
};

/// A peer's data socket and the inbound that reads it, with subscription and baseline done.
template <class Host>
class basic_wired {
 public:
  explicit basic_wired(base::fault_hook* faults = nullptr) : faults_(faults) {
    pub.bind("inproc://data");
    link({});
    host.topics_here["a.b"];
    announced.insert("a.b");
    subscribe({{"a.b"}, {}}, 1);
  }
  /// The link breaks, and there is another one; not subscribed yet. `meanwhile`: what is wanted while there is none.
  void relink(const std::vector<inbound::interests>& meanwhile = {}) {
    auto came_so_far = in->take_progress();
    in.reset();
    for (const auto& each : meanwhile) came_so_far.keep(each);
    link(std::move(came_so_far));
  }

  /// Subscribes and answers the marker; `streams`: what the peer has published so far.
  void subscribe(const inbound::interests& what, std::uint64_t revision,
                 const std::map<std::string, std::uint64_t>& streams = {}) {
    in->subscribe(what, own, revision);
    const std::string marker = '\x01' + marker_topic(own, revision);
    while (!pub.recv(request, zmq::recv_flags::dontwait) || request.to_string_view() != marker) {
    }
    send(marker_topic(own, revision), numbers(wire::batch_kind::sync, streams));
    receive_until([&] { return synced == revision; });
  }
  /// The next number of each stream, as sync and goodbye carry them.
  static std::vector<std::byte> numbers(wire::batch_kind kind, const std::map<std::string, std::uint64_t>& streams) {
    wire::byte_writer body;
    for (const auto& [name, next] : streams) {
      const auto size = static_cast<std::uint16_t>(name.size());
      body.append(&size, sizeof size);
      body.append(name.data(), size);
      body.append(&next, sizeof next);
    }
    wire::batch_writer out;
    out.begin({kind, producer, 0, 0});
    out.add_raw(body.bytes());
    return bytes_of(out);
  }
  std::optional<transport::topic_info> announced_as(std::string_view topic) const {
    if (!announced.contains(topic)) return std::nullopt;
    return transport::topic_info{std::string(topic), 0, "number", 1, 1, false};
  }

  /// A batch of consecutive numbers, each its own sequence number.
  static std::vector<std::byte> batch(std::uint64_t first, std::uint64_t count, std::uint64_t by = producer) {
    wire::batch_writer out;
    out.begin({wire::batch_kind::messages, by, first, 1});
    for (std::uint64_t i = first; i != first + count; ++i) {
      if (!out.add(wire::first_envelope({{by, 1}, i}), number_codec, &i, 100)) throw std::logic_error("refused");
    }
    return bytes_of(out);
  }
  static std::vector<std::byte> bytes_of(wire::batch_writer& from) {
    const auto bytes = from.finish();
    return {bytes.begin(), bytes.end()};
  }
  static std::vector<std::byte> with_crc(std::vector<std::byte> bytes) {
    const std::uint32_t none = 0;
    std::memcpy(bytes.data() + 40, &none, 4);
    const std::uint32_t crc = wire::crc32c(bytes);
    std::memcpy(bytes.data() + 40, &crc, 4);
    return bytes;
  }
  void send(std::string_view topic, const std::vector<std::byte>& body) {
    pub.send(zmq::const_buffer(topic.data(), topic.size()), zmq::send_flags::sndmore);
    pub.send(zmq::const_buffer(body.data(), body.size()), zmq::send_flags::none);
  }
  void send(const std::vector<std::byte>& body) { send(std::string_view("a.b\0", 4), body); }
  template <class Until>
  void receive_until(Until until) {
    while (!until()) in->work(host.time.now());
  }
  /// Sends one good message behind what went before and waits for it: everything before it was dealt with.
  void settle(std::uint64_t sequence) {
    send(batch(sequence, 1));
    receive_until([&] { return !got().values.empty() && got().values.back() == sequence; });
  }
  void send_topic(const std::string& topic, const std::vector<std::byte>& body) { send(topic + '\0', body); }
  recorder& got() { return host.topics_here.find("a.b")->second; }
  [[nodiscard]] std::size_t count_of(event_kind kind) const {
    return static_cast<std::size_t>(
        std::count_if(host.events.begin(), host.events.end(), [&](auto& e) { return e.kind == kind; }));
  }

  Host host;
  std::set<std::string, std::less<>> announced;
  zmq::context_t context;
  zmq::socket_t pub{context, zmq::socket_type::xpub};
  zmq::message_t request;
  std::uint64_t synced = 0;
  int goodbyes = 0;
  std::optional<inbound> in;

 private:
  void link(inbound::progress from) {
    zmq::socket_t sub(context, zmq::socket_type::sub);
    sub.connect("inproc://data");
    in.emplace(std::move(sub), inbound::settings{"peer", producer, std::chrono::seconds(10), faults_},
               inbound::callbacks{[this](std::string_view topic) { return announced_as(topic); },
                                  [this](std::uint64_t revision) { synced = revision; }, [this] { ++goodbyes; }},
               host, std::move(from));
  }

  base::fault_hook* const faults_;
};

using wired = basic_wired<fake_host>;

}  // namespace zeromq_test
