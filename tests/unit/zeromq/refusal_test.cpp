#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <zmq.hpp>

#include "control.hpp"

using namespace amphibus;
using namespace zeromq_test;
using Catch::Contains;

namespace {

struct plain {
  int value;
};
constexpr topic<plain> without_codec{"test.plain"};

/// The same topic as `numbers` in another program that means something else by it.
template <int Major>
struct impostor {
  std::uint64_t value = 0;
};

/// The errors with which `a`, who publishes numbers, and `b`, who subscribes an impostor, end.
template <int Major>
std::string disagreement() {
  static constexpr topic<impostor<Major>> numbers_too{"test.numbers"};
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  auto out = a.bus.publisher(numbers);
  auto sub = b.bus.subscribe(numbers_too, [](const impostor<Major>&) {});
  a.open();
  b.open();
  const auto here = a.wait_until_ready();
  const auto there = b.wait_until_ready();
  REQUIRE((here && there));
  CHECK(here->code() == error_code::peer_type);
  CHECK(there->code() == error_code::peer_type);
  return std::string(here->what()) + "\n" + there->what();
}

}  // namespace

template <int Major>
struct amphibus::codec<impostor<Major>> {
  static constexpr std::string_view type_name = Major == 1 ? "test.impostor" : "test.number";
  static constexpr std::uint16_t major = Major;
  static constexpr std::uint64_t schema_hash = 99;
  static bool encode(const impostor<Major>&, wire::byte_writer&) { return true; }
  static bool decode(std::span<const std::byte>, impostor<Major>&) { return true; }
};

TEST_CASE("zeromq: a topic without codec on a remote route is an error that shows what to write", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  CHECK_THROWS_WITH(a.bus.subscribe(without_codec, [](const plain&) {}),
                    Contains("AMB-E0103") && Contains("test.plain") && Contains("struct amphibus::codec<"));
  CHECK_THROWS_AS(a.bus.publisher(without_codec), error);
}

TEST_CASE("zeromq: processes started with other routes refuse each other before they are ready", "[zeromq]") {
  const auto file = file_of(2);
  auto other = file;
  other.routes[0].overflow.value = config::overflow::drop_newest;
  placed_bus a(file, "a");
  placed_bus b(other, "b");
  a.open();
  b.open();
  const auto why = a.wait_until_ready();
  REQUIRE(why);
  CHECK(why->code() == error_code::peer_routes);
  const auto there = b.wait_until_ready();
  REQUIRE(there);
  CHECK(there->code() == error_code::peer_routes);
}

TEST_CASE("zeromq: another type or another major of a topic is refused by name on both sides", "[zeromq]") {
  CHECK_THAT(disagreement<1>(),
             Contains("AMB-E0306") && Contains("test.numbers") && Contains("test.impostor") && Contains("test.number"));
  const std::string majors = disagreement<2>();  // whoever notices first names its own first; both texts name both
  CHECK_THAT(majors, Contains("test.number major 1 in 'a'") && Contains("test.number major 2 in 'b'"));
  const auto second = majors.find('\n', majors.find("AMB-E0306") + 1);
  CHECK_THAT(majors.substr(second), Contains("test.number major 1 in 'a'") && Contains("test.number major 2 in 'b'"));
}

TEST_CASE("zeromq: a peer of another protocol version gets a reason and ends the start", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  a.open();
  zmq::context_t context;
  zmq::socket_t b(context, zmq::socket_type::dealer);
  b.set(zmq::sockopt::linger, 0);
  b.connect(file.processes[0].endpoint.value);
  zeromq::hello future;
  future.protocol_min = 7;
  future.protocol_max = 9;
  future.process = "b";
  const auto bytes = zeromq::encode({42, future});
  b.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
  const auto why = a.wait_until_ready();
  REQUIRE(why);
  CHECK_THAT(why->what(), Contains("AMB-E0304") && Contains("7") && Contains("9"));
  zmq::message_t answer;
  zeromq::control_message said;
  while (!std::holds_alternative<zeromq::reject>(said.body)) {
    REQUIRE(b.recv(answer));
    REQUIRE(zeromq::decode({answer.data<std::byte>(), answer.size()}, said) == nullptr);
  }
  CHECK(std::get<zeromq::reject>(said.body).code == 304);
  CHECK_THAT(std::get<zeromq::reject>(said.body).text, Contains("7 to 9"));
}

TEST_CASE("zeromq: a process that is not there is named when the deadline passes", "[zeromq]") {
  const auto file = file_of(3);
  placed_bus a(file, "a");
  a.open();
  const auto why = a.wait_until_ready(std::chrono::milliseconds(50));
  REQUIRE(why);
  CHECK_THAT(why->what(), Contains("AMB-E0307") && Contains("b, c") && Contains("ready_deadline"));
}

TEST_CASE("zeromq: an endpoint that a live process holds is refused, for ipc and for tcp", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus first(file, "a");
  first.open();
  placed_bus second(file, "a");
  CHECK_THROWS_WITH(second.open(), Contains("AMB-E0303") && Contains("another running process"));

  auto tcp = file_of(2);
  tcp.processes[0].endpoint.value = "tcp://127.0.0.1:18765";
  placed_bus third(tcp, "a");
  third.open();
  placed_bus fourth(tcp, "a");
  CHECK_THROWS_WITH(fourth.open(), Contains("AMB-E0303") && Contains("tcp://127.0.0.1:18765"));
}

TEST_CASE("zeromq: the address of a proxy is checked without opening a socket", "[zeromq]") {
  const auto complaints = [](const std::string& proxy) {
    placed_bus a(file_of(2), "a", {.socks_proxy = proxy});
    return a.check().size();
  };
  CHECK(complaints("") == 0);
  CHECK(complaints("127.0.0.1:1080") == 0);
  for (const char* const each : {"127.0.0.1", ":1080", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "host:12x"}) {
    INFO(each);
    CHECK(complaints(each) == 1);
  }
}

TEST_CASE("zeromq: endpoints are checked without opening a socket", "[zeromq]") {
  const auto complaint = [](const std::string& endpoint) {
    auto file = file_of(2);
    file.processes[0].endpoint.value = endpoint;
    placed_bus a(file, "a");
    const auto errors = a.check();
    return errors.empty() ? std::string() : std::string(errors[0].what());
  };
  CHECK(complaint("tcp://127.0.0.1:7701").empty());
  CHECK_THAT(complaint("tcp://127.0.0.1"), Contains("port from 1 to 65535"));
  CHECK_THAT(complaint("tcp://127.0.0.1:99999"), Contains("port from 1 to 65535"));
  CHECK_THAT(complaint("tcp://0.0.0.0:7701"), Contains("neither authenticates nor encrypts"));
  CHECK_THAT(complaint("udp://127.0.0.1:7701"), Contains("scheme"));
  CHECK_THAT(complaint("ipc://@abstract"), Contains("abstract"));
  CHECK_THAT(complaint("ipc://" + std::string(101, 'x')), Contains("100 bytes"));
}
