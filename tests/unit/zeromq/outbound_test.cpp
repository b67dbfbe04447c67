// How much an outbound takes from its egress in one turn.
#include "outbound.hpp"
#include "wired.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>

using namespace zeromq_test;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

bool encode_bytes(const void* value, wire::byte_writer& out) {
  const auto& bytes = *static_cast<const std::vector<std::byte>*>(value);
  out.append(bytes.data(), bytes.size());
  return true;
}
constexpr wire::codec_operations bytes_codec{"bytes", 1, 1, &encode_bytes, &decode_nothing};

/// Never empty; every message of one size.
class endless_egress final : public transport::egress {
 public:
  std::vector<std::byte> message;
  std::size_t drained = 0;

  std::size_t drain(std::size_t max, transport::egress_sink& to) override {
    for (std::size_t i = 0; i != max; ++i)
      to.on_message(topic_, bytes_codec, wire::first_envelope({{own, 1}, i}), &message);
    drained += max;
    return max;
  }
  void finished(std::size_t) override {}
  bool prepare_to_sleep() override { return false; }

 private:
  const std::string topic_ = "a.b";
};

struct endless {
  explicit endless(bool block = true, std::size_t pipe_max_bytes = 1024 * mebibyte)
      : block_(block), pipe_max_bytes_(pipe_max_bytes) {}

  fake_host host;
  zmq::context_t context;
  endless_egress from;
  std::atomic<int> woken{0};

 private:
  const bool block_;
  const std::size_t pipe_max_bytes_;

 public:
  outbound out{zmq::socket_t(context, zmq::socket_type::xpub),
               {block_, 16 * mebibyte, std::chrono::seconds(1), pipe_max_bytes_},
               from,
               host,
               {[] {}, [this] { ++woken; }}};

  std::size_t turn(std::size_t size_bytes) {
    from.message.resize(size_bytes);
    from.drained = 0;
    out.work(host.time.now());
    return from.drained;
  }
};

/// Somebody who subscribes and has not read anything.
zmq::socket_t slow_subscriber_of(endless& e) {
  e.out.socket().bind("inproc://data");
  zmq::socket_t out(e.context, zmq::socket_type::sub);
  out.connect("inproc://data");
  out.set(zmq::sockopt::subscribe, std::string_view("a.b\0", 4));
  return out;
}

std::size_t sent_until_held_up(endless& e) {
  std::size_t out = 0;
  while (const std::size_t some = e.turn(mebibyte)) {
    out += some;
    REQUIRE(out < 100);
  }
  return out;
}

}  // namespace

TEST_CASE("outbound: a turn takes about 2 MiB of large messages, also where one drain could give more", "[zeromq]") {
  endless e;
  e.turn(mebibyte / 4);
  CHECK(e.turn(mebibyte / 4) <= 9);
  CHECK(e.turn(3 * mebibyte) <= 8);  // what was large before may be larger now
  CHECK(e.turn(3 * mebibyte) == 1);
}

TEST_CASE("outbound: what libzmq holds for a route that blocks is bounded in bytes, and room wakes", "[zeromq]") {
  endless e(true, 8 * mebibyte);
  zmq::socket_t sub = slow_subscriber_of(e);
  CHECK(sent_until_held_up(e) <= 8 + 2);
  CHECK(e.out.prepare_to_sleep());
  CHECK_FALSE(e.out.blocked());
  CHECK(e.out.has_backlog());
  e.host.time.advance(std::chrono::seconds(2));  // an idle stream would be repeated by now
  CHECK(e.turn(mebibyte) == 0);
  CHECK(e.out.next_timer() == base::time_point::max());
  CHECK(e.woken == 0);
  zmq::message_t part;
  for (int parts = 0; e.woken == 0; ++parts) {
    REQUIRE(parts < 2 * 6);
    REQUIRE(sub.recv(part));
  }
  CHECK(e.turn(mebibyte) != 0);
  CHECK_FALSE(e.out.prepare_to_sleep());
}

TEST_CASE("outbound: messages larger than the bound leave, a turn's worth at a time", "[zeromq]") {
  endless e(true, mebibyte / 4);
  zmq::socket_t sub = slow_subscriber_of(e);
  const std::size_t at_once = e.turn(mebibyte);
  CHECK(at_once == 2);
  CHECK(e.turn(mebibyte) == 0);
  for (std::size_t parts = 0; parts != 2 * at_once; ++parts) {
    zmq::message_t part;
    REQUIRE(sub.recv(part));
  }
  CHECK(e.woken == 1);
  CHECK(e.turn(mebibyte) == at_once);
}

TEST_CASE("outbound: a frame that travels outlives it, and tells nobody", "[zeromq]") {
  zmq::message_t topic;
  zmq::message_t body;
  {
    endless e(true, mebibyte / 4);
    zmq::socket_t sub = slow_subscriber_of(e);
    CHECK(e.turn(mebibyte) != 0);
    REQUIRE(sub.recv(topic));
    REQUIRE(sub.recv(body));
  }
  CHECK(body.size() > mebibyte);
  body.rebuild();
}

TEST_CASE("outbound: where a route drops, or an observer shares the bytes, nothing is held up", "[zeromq]") {
  const bool block = GENERATE(true, false);
  endless e(block, 8 * mebibyte);
  zmq::socket_t pub(e.context, zmq::socket_type::pub);
  pub.bind("inproc://tap");
  tap_socket tap(std::move(pub), "inproc://tap");
  if (block) e.out.show_on(&tap);
  const zmq::socket_t sub = slow_subscriber_of(e);
  std::size_t sent = 0;
  for (int i = 0; i != 20; ++i) sent += e.turn(mebibyte);
  CHECK(sent > 16);
  e.out.show_on(nullptr);
}

TEST_CASE("outbound: small messages come 16,384 a turn, also behind large ones", "[zeromq]") {
  endless e;
  CHECK(e.turn(100) == 1 + 16'384);  // the first alone, until its size is known
  CHECK(e.turn(100) == 16'384);
  e.turn(mebibyte / 4);
  CHECK(e.turn(100) >= 16'384);
}

TEST_CASE("outbound: a batch is full where its route, its pipe and who looks on say so", "[zeromq]") {
  const auto largest = [](bool block, std::size_t pipe_max_bytes, bool shown) {
    endless e(block, pipe_max_bytes);
    zmq::socket_t sub = slow_subscriber_of(e);
    tap_socket tap(zmq::socket_t(e.context, zmq::socket_type::pub), "inproc://tap");
    e.out.show_on(shown ? &tap : nullptr);
    std::size_t out = 0;
    for (zmq::message_t part; out < 64U << 10U;) {
      e.turn(1000);
      while (sub.recv(part, zmq::recv_flags::dontwait)) out = std::max(out, part.size());
    }
    e.out.show_on(nullptr);
    return out;
  };
  const auto is_about = [](std::size_t cap) {
    return Catch::Predicate<std::size_t>([cap](std::size_t size) { return size >= cap && size <= cap + 2'000; });
  };
  constexpr std::size_t kibibyte = 1024;
  CHECK_THAT(largest(true, 32 * mebibyte, false), is_about(512 * kibibyte));
  CHECK_THAT(largest(true, 1024 * mebibyte, false), is_about(512 * kibibyte));
  CHECK_THAT(largest(true, 16 * mebibyte, false), is_about(256 * kibibyte));
  CHECK_THAT(largest(true, mebibyte, false), is_about(128 * kibibyte));
  CHECK_THAT(largest(false, 32 * mebibyte, false), is_about(128 * kibibyte));
  CHECK_THAT(largest(true, 32 * mebibyte, true), is_about(128 * kibibyte));
}

TEST_CASE("outbound: a batch is shown to observers as a second reference to the bytes that are sent", "[zeromq]") {
  endless e;
  e.out.socket().bind("inproc://data");
  zmq::socket_t pub(e.context, zmq::socket_type::pub);
  pub.bind("inproc://tap");
  tap_socket tap(std::move(pub), "inproc://tap");
  e.out.show_on(&tap);
  std::array<zmq::socket_t, 2> subs{zmq::socket_t(e.context, zmq::socket_type::sub),
                                    zmq::socket_t(e.context, zmq::socket_type::sub)};
  subs[0].connect("inproc://data");
  subs[1].connect("inproc://tap");
  for (auto& each : subs) each.set(zmq::sockopt::subscribe, std::string_view("a.b\0", 4));
  std::array<std::map<std::uint64_t, zmq::message_t>, 2> got;  // by first number
  const auto both = [&got] {
    return std::find_if(got[0].begin(), got[0].end(), [&](const auto& each) { return got[1].contains(each.first); });
  };
  while (both() == got[0].end()) {
    e.turn(mebibyte / 8);
    for (std::size_t i = 0; i != subs.size(); ++i) {
      for (zmq::message_t topic; subs[i].recv(topic, zmq::recv_flags::dontwait);) {
        zmq::message_t body;
        REQUIRE(subs[i].recv(body));
        std::uint64_t first = 0;
        std::memcpy(&first, body.data<std::byte>() + 16, sizeof first);
        got[i].emplace(first, std::move(body));
      }
    }
  }
  CHECK(both()->second.data() == got[1].at(both()->first).data());
  e.out.show_on(nullptr);
  CHECK(e.turn(100) >= 16'384);
}
