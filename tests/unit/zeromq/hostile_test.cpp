#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

#include <zmq.hpp>

#include <amphibus/wire/frame.hpp>

#include "control.hpp"
#include "sockets.hpp"
#include "support/raw_zmtp.hpp"

using namespace amphibus;
using namespace zeromq_test;

namespace {

std::string path_of(const config::configuration& file, const std::string& suffix = "") {
  return file.processes[0].endpoint.value.substr(6) + suffix;
}

std::string random_bytes(std::size_t size) {
  std::mt19937 generator(7);
  std::string out(size, '\0');
  for (char& each : out) each = static_cast<char>(generator());
  return out;
}

/// The same file on tcp ports that were free just now.
config::configuration on_tcp(config::configuration file) {
  zmq::context_t context;
  for (auto& each : file.processes) {
    zmq::socket_t probe(context, zmq::socket_type::rep);
    probe.bind("tcp://127.0.0.1:*");
    each.endpoint.value = probe.get(zmq::sockopt::last_endpoint);
  }
  return file;
}

zeromq::hello hello_as(const std::string& process, const config::configuration& file) {
  zeromq::hello out;
  out.process = process;
  out.routes_digest = config::routes_digest(file);
  out.data_endpoints = {"ipc:///nobody/there"};
  return out;
}

void say(zmq::socket_t& through, const zeromq::control_message& what) {
  const auto bytes = zeromq::encode(what);
  through.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
}

zeromq::control_message hear(zmq::socket_t& from) {
  zmq::message_t frame;
  REQUIRE(from.recv(frame));
  zeromq::control_message out;
  REQUIRE(zeromq::decode({frame.data<std::byte>(), frame.size()}, out) == nullptr);
  return out;
}

/// A DEALER at the control endpoint of process a.
struct caller {
  explicit caller(const config::configuration& file) {
    socket.set(zmq::sockopt::linger, 0);
    socket.connect(file.processes[0].endpoint.value);
  }
  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::dealer};
};

/// Sends parts of one message to `endpoint` until it is cut off. Returns: how many bytes.
std::size_t send_without_end(const std::string& endpoint, const std::string& as, std::size_t part_size) {
  support::stranger from(endpoint);
  from.greet(as);
  const std::string part = support::stranger::frame(std::string(part_size, 'x'), true);
  std::size_t sent = 0;
  while (sent < (std::size_t{1} << 30U) && from.send(part)) sent += part.size();
  return sent;
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

TEST_CASE("zeromq: random bytes, HTTP and TLS on both sockets harm nobody", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  for (const std::string suffix : {"", ".r0"}) {
    for (const std::string& bytes : {random_bytes(4096), std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                                     std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11), std::string()}) {
      support::stranger("ipc://" + path_of(file, suffix)).send(bytes);
    }
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

TEST_CASE("zeromq: greetings of ZMTP 1 and 2 and of other mechanisms harm nobody", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  std::string security(64, '\0');
  security.replace(0, 12, std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01", 12));
  const auto with_mechanism = [&](std::string_view name) {
    std::string out = security;
    return out.replace(12, name.size(), name);
  };
  for (const std::string suffix : {"", ".r0"}) {
    for (const std::string& bytes :
         {std::string("\x01\0", 2), std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0", 14), with_mechanism("CURVE"),
          with_mechanism("PLAIN"), with_mechanism("NULL") + "\x04\xff" + std::string(255, 'x')}) {
      support::stranger("ipc://" + path_of(file, suffix)).send(bytes);
    }
  }
  check_alive(a, b);
}

TEST_CASE("zeromq: a frame that declares 2 GiB is refused before it is stored", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  for (const auto& [suffix, type] : std::vector<std::pair<std::string, std::string>>{{"", "DEALER"}, {".r0", "SUB"}}) {
    support::stranger from("ipc://" + path_of(file, suffix));
    from.greet(type);
    REQUIRE(from.send(std::string("\x02\0\0\0\0\x80\0\0\0and some bytes of it", 29)));
    from.wait_for_end();
  }
  check_alive(a, b);
}

TEST_CASE("zeromq: a message that never ends is cut on both sockets, told, and harms nobody", "[zeromq]") {
  const auto file = on_tcp(file_of(2));
  placed_bus a(file, "a");
  a.open();
  caller as_b(file);
  say(as_b.socket, {42, hello_as("b", file)});
  const auto answer = std::get<zeromq::hello>(hear(as_b.socket).body);
  constexpr std::size_t mebibyte = std::size_t{1} << 20U;
  CHECK(send_without_end(file.processes[0].endpoint.value, "DEALER", 64U << 10U) < 512 * mebibyte);
  CHECK_THAT(a.wait_for(event_kind::rejected_input).text, Catch::Contains("more bytes than messages"));
  CHECK(send_without_end(answer.data_endpoints[0], "SUB", 1'000) < 128 * mebibyte);
  caller later(file);
  say(later.socket, {43, hello_as("b", file)});
  static_cast<void>(hear(later.socket));  // it still answers
}

TEST_CASE("zeromq: a second hello on one connection is told and not answered", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  a.open();
  caller as_b(file);
  const auto greeting = hello_as("b", file);
  say(as_b.socket, {42, greeting});
  CHECK(std::holds_alternative<zeromq::hello>(hear(as_b.socket).body));
  for (std::uint64_t i = 0; i != 100; ++i) say(as_b.socket, {42 + i, greeting});
  CHECK_THAT(a.wait_for(event_kind::rejected_input).text, Catch::Contains("second hello"));
  caller again(file);  // a new connection may
  say(again.socket, {43, greeting});
  CHECK(std::holds_alternative<zeromq::hello>(hear(again.socket).body));
  zmq::message_t more;
  CHECK_FALSE(as_b.socket.recv(more, zmq::recv_flags::dontwait));
}

TEST_CASE("zeromq: messages before a hello, or in the name of nobody of the file, are told and have no effect",
          "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  caller from(file);
  for (const zeromq::control_body& each : std::vector<zeromq::control_body>{
           zeromq::update{9, {{"test.numbers", 0, "other", 7, 1, true}}, {}}, zeromq::ready{}, zeromq::bye{},
           zeromq::reject{305, "go away"}, hello_as("nobody", file), hello_as("", file), hello_as("a", file)}) {
    say(from.socket, {42, each});
  }
  CHECK_THAT(a.wait_for(event_kind::rejected_input).text, Catch::Contains("did not say hello"));
  check_alive(a, b);
}

TEST_CASE("zeromq: a wrong hello in the name of a connected process is answered, and the process stays", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  caller from(file);
  auto wrong = hello_as("b", file);
  ++wrong.routes_digest;
  say(from.socket, {42, wrong});
  CHECK(std::get<zeromq::reject>(hear(from.socket).body).code == 305);
  CHECK_THAT(a.wait_for(event_kind::rejected_input).text,
             Catch::Contains("in the name of a process that is connected"));
  check_alive(a, b);
  CHECK(a.count_of(event_kind::peer_refused) == 0);
}

TEST_CASE("zeromq: the type that a peer names is escaped where patterns pass its topic over", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  auto sub = a.bus.subscribe(pattern<any_message>{"test.>"}, [](const any_message&) {});
  a.open();
  caller as_b(file);
  auto greeting = hello_as("b", file);
  greeting.topics = {{"test.odd", 0, "evil\x1b[2J\n", 1, 1, false}};
  say(as_b.socket, {42, greeting});
  CHECK_THAT(a.wait_for(event_kind::topic_skipped).text, Catch::Contains("evil\\x1b[2J\\x0a"));
}

TEST_CASE("zeromq: more routes than a hello holds are refused before anything is opened", "[zeromq]") {
  auto file = file_of(2);
  const auto complaints = [&](std::size_t routes) {
    file.routes.resize(routes, file.routes.front());
    placed_bus a(file, "a");
    return a.check();
  };
  CHECK(complaints(zeromq::control_routes_max - 1).empty());
  CHECK(complaints(zeromq::control_routes_max).empty());
  const auto errors = complaints(zeromq::control_routes_max + 1);
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0].what(), Catch::Contains("AMB-E0104") && Catch::Contains("1001") && Catch::Contains("1000"));
}
