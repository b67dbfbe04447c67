#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <random>
#include <set>

#include <zmq.hpp>

#include <amphibus/wire/frame.hpp>

#include "control.hpp"
#include "sockets.hpp"

using namespace amphibus;
using namespace zeromq_test;

namespace {

std::string path_of(const config::configuration& file, const std::string& suffix = "") {
  return file.processes[0].endpoint.value.substr(6) + suffix;
}

/// Bytes on the bare socket, without any ZeroMQ handshake.
void throw_bytes_at(const std::string& path, const std::string& bytes) {
  const int raw = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::connect(raw, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  [[maybe_unused]] const auto sent = ::send(raw, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::close(raw);
}

std::string random_bytes(std::size_t size) {
  std::mt19937 generator(7);
  std::string out(size, '\0');
  for (char& each : out) each = static_cast<char>(generator());
  return out;
}

/// The pair still works: one message goes through.
void check_alive(placed_bus& from, placed_bus& to) {
  watched seen;
  bool there = false;
  auto sub = to.bus.subscribe(numbers, [&](const number&) { seen.change([&] { there = true; }); });
  while (from.bus.publish(numbers, {1}) != publish_status::accepted) {
  }
  seen.wait([&] { return there; });
}

}  // namespace

TEST_CASE("zeromq: random bytes and HTTP on both sockets harm nobody", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  for (const std::string suffix : {"", ".r0"}) {
    throw_bytes_at(path_of(file, suffix), random_bytes(4096));
    throw_bytes_at(path_of(file, suffix), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    throw_bytes_at(path_of(file, suffix), "");
  }
  check_alive(a, b);
}

TEST_CASE("zeromq: control messages with wrong magic, lies or too many frames are counted and told", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  zmq::context_t context;
  zmq::socket_t stranger(context, zmq::socket_type::dealer);
  stranger.set(zmq::sockopt::linger, 0);
  stranger.connect(file.processes[0].endpoint.value);
  stranger.send(zmq::str_buffer("nonsense"), zmq::send_flags::none);
  const auto told = a.wait_for(event_kind::rejected_input);
  CHECK_THAT(told.text, Catch::Contains("magic"));
  for (int i = 0; i != 10; ++i) stranger.send(zmq::str_buffer("many"), zmq::send_flags::sndmore);
  stranger.send(zmq::str_buffer("frames"), zmq::send_flags::none);
  check_alive(a, b);
}

TEST_CASE("zeromq: a stranger that floods a data socket with subscriptions harms nobody", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  zmq::context_t context;
  zmq::socket_t stranger(context, zmq::socket_type::sub);
  stranger.set(zmq::sockopt::linger, 0);
  stranger.connect("ipc://" + path_of(file, ".r0"));
  for (int i = 0; i != 5000; ++i) {
    stranger.set(zmq::sockopt::subscribe, "\xffm0123456789abcdef." + std::to_string(i));
    stranger.set(zmq::sockopt::subscribe, "\xff" + std::to_string(i));
  }
  check_alive(a, b);
}

TEST_CASE("zeromq: a peer that sends a topic which its route does not carry reaches nobody", "[zeromq]") {
  constexpr std::uint64_t incarnation = 42;
  const auto file = file_of(2);
  placed_bus a(file, "a");
  static_cast<void>(a.bus.make_topic<number>("local.one").value());
  watched seen;
  std::set<std::string> topics;
  auto sub = a.bus.subscribe(pattern<number>{">"}, [&](const number&, const context& with) {
    seen.change([&] { topics.emplace(with.topic()); });
  });
  a.open();

  zmq::context_t context;
  zmq::socket_t control(context, zmq::socket_type::dealer);
  control.set(zmq::sockopt::linger, 0);
  control.connect(file.processes[0].endpoint.value);
  zmq::socket_t data(context, zmq::socket_type::xpub);
  data.set(zmq::sockopt::linger, 0);
  data.bind("ipc://" + path_of(file, ".of-b"));
  zeromq::hello greeting;
  greeting.process = "b";
  greeting.routes_digest = config::routes_digest(file);
  greeting.data_endpoints = {"ipc://" + path_of(file, ".of-b")};
  for (const char* const each : {"local.one", "test.numbers"}) {
    greeting.topics.push_back({each, 0, std::string(codec<number>::type_name), 1, 1, false});
  }
  const auto hello = zeromq::encode({incarnation, greeting});
  control.send(zmq::const_buffer(hello.data(), hello.size()), zmq::send_flags::none);
  zmq::message_t request;
  do {
    REQUIRE(data.recv(request));
  } while (!zeromq::parse_marker(request.to_string_view().substr(1)));  // every filter came before it
  for (const std::string each : {"local.one", "test.numbers"}) {
    const number value{1};
    wire::batch_writer batch;
    batch.begin({wire::batch_kind::messages, incarnation, 1, 1});
    REQUIRE(batch.add(wire::first_envelope({{incarnation, 1}, 1}), *numbers.codec(), &value, 100));
    const auto bytes = batch.finish();
    data.send(zmq::buffer(each + '\0'), zmq::send_flags::sndmore);
    data.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
  }
  seen.wait([&] { return topics.contains("test.numbers"); });
  CHECK(a.bus.drain().complete());  // what came before it is handled
  seen.change([&] { CHECK(topics == std::set<std::string>{"test.numbers"}); });
}
