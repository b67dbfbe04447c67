// One inbound fed by a bare PUB socket in this thread: what a peer, or whoever sits on its data port, can send.
#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

#include <amphibus/testing/fault_points.hpp>
#include <amphibus/testing/manual_clock.hpp>
#include <amphibus/wire/crc32c.hpp>

#include "inbound.hpp"
#include "sockets.hpp"

using namespace amphibus;
using namespace amphibus::zeromq;
using Catch::Contains;

namespace {

constexpr std::uint64_t producer = 11;
constexpr std::uint64_t own = 12;

bool encode_number(const void* value, wire::byte_writer& out) {
  out.append(value, sizeof(std::uint64_t));
  return true;
}
bool decode_nothing(std::span<const std::byte>, void*) { return true; }
constexpr wire::codec_operations number_codec{"number", 1, 1, &encode_number, &decode_nothing};

/// Takes messages until it is told not to.
class recorder final : public transport::ingress {
 public:
  std::vector<std::uint64_t> values;
  std::vector<std::uint64_t> lost_before;
  std::size_t room = 1'000'000;
  std::uint64_t refused_value = ~std::uint64_t{0};

  transport::delivery_progress deliver(std::span<const wire::received_message> messages) override {
    for (std::size_t i = 0; i != messages.size(); ++i) {
      std::uint64_t value = 0;
      if (messages[i].payload.size() != sizeof value) return {i, transport::delivery::undecodable};
      std::memcpy(&value, messages[i].payload.data(), sizeof value);
      if (value == refused_value) return {i, transport::delivery::undecodable};
      if (room == 0) return {i, transport::delivery::full};
      --room;
      values.push_back(value);
      lost_before.push_back(messages[i].with.lost_before);
    }
    return {messages.size(), transport::delivery::delivered};
  }
};

class fake_host final : public transport::host {
 public:
  testing::manual_clock time;
  std::map<std::string, recorder, std::less<>> topics_here;
  std::vector<event> events;

  [[nodiscard]] std::uint64_t incarnation() const noexcept override { return own; }
  [[nodiscard]] base::clock& clock() const noexcept override { return const_cast<testing::manual_clock&>(time); }
  [[nodiscard]] std::vector<transport::topic_info> topics() const override { return {}; }
  [[nodiscard]] transport::egress& egress_of(std::size_t) override {
    throw std::logic_error("an inbound needs no egress");
  }
  [[nodiscard]] transport::ingress* find_ingress(std::string_view topic) override {
    const auto found = topics_here.find(topic);
    return found == topics_here.end() ? nullptr : &found->second;
  }
  void set_remote_interest(std::string_view, bool) override {}
  void report(const event& what) override { events.push_back(what); }
  void count_bytes(std::uint64_t, std::uint64_t) noexcept override {}
  void set_all_peers_ready(bool) override {}
  void fail(error) override {}
};

/// A peer's data socket and the inbound that reads it, with subscription and baseline done.
class wired {
 public:
  explicit wired(base::fault_hook* faults = nullptr)
      : in(connected(), {"peer", producer, std::chrono::seconds(10), faults},
           {[this](std::uint64_t revision) { synced = revision; }, [this] { ++goodbyes; }}, host) {
    host.topics_here["a.b"];
    in.subscribe({"a.b"}, own, 1);
    while (!pub.recv(request, zmq::recv_flags::dontwait) ||
           request.to_string_view().find("\xffm") == std::string_view::npos) {
    }
    wire::batch_writer answer;
    answer.begin({wire::batch_kind::sync, producer, 0, 0});
    send(marker_topic(own, 1), bytes_of(answer));
    receive_until([this] { return synced == 1; });
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
    while (!until()) in.work(host.time.now());
  }
  /// Sends one good message behind what went before and waits for it: everything before it was dealt with.
  void settle(std::uint64_t sequence) {
    send(batch(sequence, 1));
    receive_until([&] { return !got().values.empty() && got().values.back() == sequence; });
  }
  recorder& got() { return host.topics_here.find("a.b")->second; }
  [[nodiscard]] std::size_t count_of(event_kind kind) const {
    return static_cast<std::size_t>(
        std::count_if(host.events.begin(), host.events.end(), [&](auto& e) { return e.kind == kind; }));
  }

  fake_host host;
  zmq::context_t context;
  zmq::socket_t pub{context, zmq::socket_type::xpub};
  zmq::message_t request;
  std::uint64_t synced = 0;
  int goodbyes = 0;
  inbound in;

 private:
  zmq::socket_t connected() {
    pub.bind("inproc://data");
    zmq::socket_t sub(context, zmq::socket_type::sub);
    sub.connect("inproc://data");
    return sub;
  }
};

}  // namespace

TEST_CASE("inbound: batches come through whole and in order, however large", "[zeromq]") {
  wired w;
  w.send(wired::batch(1, 1000));
  w.send(wired::batch(1001, 1));
  w.receive_until([&] { return w.got().values.size() == 1001; });
  for (std::uint64_t i = 0; i != 1001; ++i) REQUIRE(w.got().values[i] == i + 1);
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: a batch cut short, a wrong CRC and lengths that lie are refused, and what follows comes through",
          "[zeromq]") {
  wired w;
  const auto good = wired::batch(1, 3);
  for (std::size_t size = 0; size < good.size(); size += 7)
    w.send({good.begin(), good.begin() + static_cast<long>(size)});
  for (const std::size_t at : {0U, 4U, 6U, 16U, 32U, 36U, 40U, 48U, 52U}) {
    auto broken = good;
    broken[at] ^= std::byte{0x55};
    w.send(broken);
    if (at == 32 || at == 36 || at == 48 || at == 52) w.send(wired::with_crc(broken));
  }
  w.send(std::string_view("a.b\0", 4), {});
  w.settle(1);
  CHECK(w.got().values == std::vector<std::uint64_t>{1});
  REQUIRE(w.count_of(event_kind::rejected_input) == 1);  // at most one a second, with the count
  CHECK(w.host.events[0].peer == "peer");
  w.host.time.advance(std::chrono::seconds(2));
  w.send({});
  w.settle(2);
  REQUIRE(w.count_of(event_kind::rejected_input) == 2);
  CHECK(w.host.events.back().count > 20);
}

TEST_CASE("inbound: topics without their end, against the grammar or never subscribed are no way in", "[zeromq]") {
  wired w;
  w.in.socket().set(zmq::sockopt::subscribe, "");  // as if libzmq let everything through
  w.host.topics_here["x.y"];
  w.send("a.b", wired::batch(1, 1));
  w.send(std::string_view("a..b\0", 5), wired::batch(1, 1));
  w.send(std::string_view("x.y\0", 4), wired::batch(1, 1));
  w.send("", wired::batch(1, 1));
  w.settle(1);
  CHECK(w.host.topics_here.find("x.y")->second.values.empty());
  CHECK(w.got().values == std::vector<std::uint64_t>{1});
}

TEST_CASE("inbound: one frame or three are refused", "[zeromq]") {
  wired w;
  w.pub.send(zmq::const_buffer("a.b\0", 4), zmq::send_flags::none);
  const auto good = wired::batch(1, 1);
  w.pub.send(zmq::const_buffer("a.b\0", 4), zmq::send_flags::sndmore);
  w.pub.send(zmq::const_buffer(good.data(), good.size()), zmq::send_flags::sndmore);
  w.pub.send(zmq::const_buffer("more", 4), zmq::send_flags::none);
  w.settle(1);
  CHECK(w.got().values == std::vector<std::uint64_t>{1});
  CHECK(w.count_of(event_kind::rejected_input) == 1);
}

TEST_CASE("inbound: another incarnation's batch is refused", "[zeromq]") {
  wired w;
  w.send(wired::batch(1, 5, producer + 1));
  w.settle(1);
  CHECK(w.got().values == std::vector<std::uint64_t>{1});
}

TEST_CASE("inbound: what is missing is one gap with its count, told with the next message only", "[zeromq]") {
  wired w;
  w.send(wired::batch(1, 2));
  w.send(wired::batch(10, 2));
  w.receive_until([&] { return w.got().values.size() == 4; });
  CHECK(w.got().lost_before == std::vector<std::uint64_t>{0, 0, 7, 0});
  REQUIRE(w.count_of(event_kind::gap) == 1);
  CHECK(w.host.events[0].count == 7);
}

TEST_CASE("inbound: what came before is not delivered twice, whole batches and overlaps alike", "[zeromq]") {
  wired w;
  w.send(wired::batch(1, 100));
  w.send(wired::batch(1, 100));
  w.send(wired::batch(90, 20));
  w.settle(110);
  REQUIRE(w.got().values.size() == 110);
  for (std::uint64_t i = 0; i != 110; ++i) REQUIRE(w.got().values[i] == i + 1);
  CHECK(w.count_of(event_kind::gap) == 0);
}

TEST_CASE("inbound: a payload that its codec refuses is counted as lost before the next", "[zeromq]") {
  wired w;
  w.got().refused_value = 70;  // in the second window of the batch
  w.send(wired::batch(1, 100));
  w.receive_until([&] { return w.got().values.size() == 99; });
  CHECK(w.got().values[69] == 71);
  CHECK(w.got().lost_before[69] == 1);
  CHECK(w.count_of(event_kind::rejected_input) == 1);
}

TEST_CASE("inbound: a full inbox stops it in the middle of a batch, and it goes on there", "[zeromq]") {
  wired w;
  w.got().room = 70;
  w.send(wired::batch(1, 200));
  w.send(wired::batch(201, 1));
  w.receive_until([&] { return w.in.pending(); });
  CHECK(w.got().values.size() == 70);
  CHECK_FALSE(w.in.work(w.host.time.now()));
  w.got().room = 1000;
  w.receive_until([&] { return w.got().values.size() == 201; });
  for (std::uint64_t i = 0; i != 201; ++i) REQUIRE(w.got().values[i] == i + 1);
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: a subscription that takes nothing for peer_stall_max loses messages, told and counted",
          "[zeromq]") {
  wired w;
  w.got().room = 0;
  w.send(wired::batch(1, 10));
  w.receive_until([&] { return w.in.pending(); });
  w.host.time.advance(std::chrono::seconds(9));
  CHECK_FALSE(w.in.work(w.host.time.now()));
  CHECK(w.count_of(event_kind::peer_stalled) == 0);
  w.host.time.advance(std::chrono::seconds(1));
  w.receive_until([&] { return !w.in.pending(); });
  CHECK(w.count_of(event_kind::peer_stalled) == 1);
  w.got().room = 10;
  w.settle(11);
  CHECK(w.got().values == std::vector<std::uint64_t>{11});
  CHECK(w.got().lost_before == std::vector<std::uint64_t>{10});
}

TEST_CASE("inbound: a slow subscription that takes something now and then is not stalled", "[zeromq]") {
  wired w;
  w.got().room = 0;
  w.send(wired::batch(1, 10));
  w.receive_until([&] { return w.in.pending(); });
  for (int i = 0; i != 10; ++i) {
    w.host.time.advance(std::chrono::seconds(9));
    w.got().room = 1;
    w.in.work(w.host.time.now());
  }
  CHECK(w.got().values.size() == 10);
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: the fault points lose, duplicate and swap behind the sequence check", "[zeromq]") {
  const auto values_with = [](base::fault_action action) {
    testing::fault_points faults;
    wired w(&faults);
    faults.arm("zeromq.deliver", action, 3);
    w.send(wired::batch(1, 5));
    w.receive_until([&] { return !w.got().values.empty() && w.got().values.back() >= 5; });
    CHECK(w.count_of(event_kind::gap) == 0);
    return w.got().values;
  };
  CHECK(values_with(base::fault_action::lose) == std::vector<std::uint64_t>{1, 2, 4, 5});
  CHECK(values_with(base::fault_action::duplicate) == std::vector<std::uint64_t>{1, 2, 3, 3, 4, 5});
  CHECK(values_with(base::fault_action::swap) == std::vector<std::uint64_t>{1, 2, 4, 3, 5});
}

TEST_CASE("inbound: goodbye is told once", "[zeromq]") {
  wired w;
  wire::batch_writer last;
  last.begin({wire::batch_kind::goodbye, producer, 0, 0});
  w.send(goodbye_topic, wired::bytes_of(last));
  w.receive_until([&] { return w.goodbyes == 1; });
}
