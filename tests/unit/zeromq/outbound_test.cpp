// How much an outbound takes from its egress in one turn.
#include "outbound.hpp"
#include "wired.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
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
  fake_host host;
  zmq::context_t context;
  endless_egress from;
  outbound out{
      zmq::socket_t(context, zmq::socket_type::xpub), {true, 16 * mebibyte, std::chrono::seconds(1)}, from, host, [] {
      }};

  std::size_t turn(std::size_t size_bytes) {
    from.message.resize(size_bytes);
    from.drained = 0;
    out.work(host.time.now());
    return from.drained;
  }
};

}  // namespace

TEST_CASE("outbound: a turn takes about 2 MiB of large messages, also where one drain could give more", "[zeromq]") {
  endless e;
  e.turn(mebibyte / 4);
  CHECK(e.turn(mebibyte / 4) <= 9);
  CHECK(e.turn(3 * mebibyte) <= 8);  // what was large before may be larger now
  CHECK(e.turn(3 * mebibyte) == 1);
}

TEST_CASE("outbound: small messages come 4,096 a turn, also behind large ones", "[zeromq]") {
  endless e;
  CHECK(e.turn(100) == 4096);
  e.turn(mebibyte / 4);
  CHECK(e.turn(100) >= 4096);
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
  CHECK(e.turn(100) >= 4096);
}
