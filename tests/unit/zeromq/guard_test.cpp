#include "connection_guard.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include <amphibus/testing/manual_clock.hpp>

#include "support/raw_zmtp.hpp"

using namespace amphibus::zeromq;
using support::stranger;

namespace {

constexpr std::size_t bound = std::size_t{1} << 20U;
constexpr auto look_interval = std::chrono::milliseconds(20);
constexpr auto rest_interval = std::chrono::seconds(10);
const std::string part(std::size_t{64} << 10U, 'x');

/// A guarded socket, read by nobody but take().
class guarded {
 public:
  explicit guarded(guard_limits with = {.held_max_bytes = bound, .held_sum_max_bytes = bound},
                   zmq::socket_type type = zmq::socket_type::router)
      : socket_(context_, type) {
    socket_.set(zmq::sockopt::linger, 0);
    if (type == zmq::socket_type::xpub) socket_.set(zmq::sockopt::xpub_verboser, 1);
    socket_.bind("tcp://127.0.0.1:*");
    guard_.emplace(context_, socket_, with, clock_);
  }
  /// A stranger whose connection the guard knows: libzmq tells of it before it answers the greeting.
  stranger connect(const std::string& type) {
    stranger out(endpoint());
    out.greet(type);
    work();
    return out;
  }
  [[nodiscard]] std::string endpoint() const { return socket_.get(zmq::sockopt::last_endpoint); }
  /// Works, one look after the other.
  template <class Done>
  void until(Done done) {
    while (!done()) {
      pass(look_interval);
      std::this_thread::yield();
    }
  }
  void pass(amphibus::base::duration time) {
    clock_.advance(time);
    work();
  }
  void work() { cut += guard_->work(); }
  /// Receives one message as a session does.
  void take() {
    zmq::message_t frame;
    receive(frame);  // the routing id
    std::size_t size = 0;
    while (frame.more()) {
      receive(frame);
      size += wire_size_of(frame.size());
    }
    guard_->count_taken(frame, size);
  }
  void take_and_keep() {
    zmq::message_t frame;
    receive(frame);
    receive(frame);  // behind the routing id
    guard_->keep(frame);
  }
  void take_subscription() {
    zmq::message_t request;
    receive(request);
    guard_->count_taken(request, wire_size_of(request.size()));
    guard_->count_subscription(request);
  }
  [[nodiscard]] amphibus::base::time_point now() const { return clock_.now(); }
  [[nodiscard]] amphibus::base::time_point next_timer() const { return guard_->next_timer(); }
  [[nodiscard]] std::size_t connections() const { return guard_->connections(); }

  std::size_t cut = 0;

 private:
  void receive(zmq::message_t& into) { static_cast<void>(socket_.recv(into, zmq::recv_flags::none)); }

  amphibus::testing::manual_clock clock_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::optional<connection_guard> guard_;
};

/// Sends parts of one message, `size` bytes of them, and waits until they are there.
void send_parts(guarded& to, stranger& from, std::size_t size) {
  while (size != 0) {
    const std::size_t some = std::min(size, part.size());
    if (!from.send(stranger::frame(std::string_view(part).substr(0, some), true))) return;
    size -= some;
  }
  to.until([&] { return from.arrived(); });
  to.pass(look_interval);
}

}  // namespace

TEST_CASE("guard: parts below the bound wait for their end, one more cuts who sends them", "[zeromq]") {
  guarded at;
  stranger from = at.connect("DEALER");
  send_parts(at, from, bound);
  CHECK(at.cut == 0);
  send_parts(at, from, part.size());
  at.until([&] { return at.cut == 1; });
  from.wait_for_end();
  at.until([&] { return at.connections() == 0; });
}

TEST_CASE("guard: a message that never ends is cut soon, and who sends little stays", "[zeromq]") {
  guarded at;
  stranger quiet = at.connect("DEALER");
  REQUIRE(quiet.send(stranger::frame("half a message", true)));
  stranger loud = at.connect("DEALER");
  const std::string more = stranger::frame(part, true);
  std::size_t sent = 0;
  while (sent < 64 * bound) {
    // Where a frame went only in part, its rest comes first: otherwise its text would be read as frames that end.
    const long some = loud.send_some(std::string_view(more).substr(sent % more.size()));
    if (some < 0) break;
    sent += static_cast<std::size_t>(some);
    at.pass(std::chrono::milliseconds(1));
  }
  CHECK(at.cut == 1);
  CHECK(sent < 64 * bound);
  at.until([&] { return at.connections() == 1; });
  REQUIRE(quiet.send(stranger::frame("and the rest", false)));
  at.take();
  CHECK(at.cut == 1);
}

TEST_CASE("guard: what was handed out does not count, however much it was", "[zeromq]") {
  guarded at;
  stranger from = at.connect("DEALER");
  for (std::size_t sent = 0; sent < 8 * bound; sent += part.size()) {
    REQUIRE(from.send(stranger::frame(part, false)));
    at.take();
    at.pass(look_interval);
  }
  CHECK(at.cut == 0);
}

TEST_CASE("guard: many who stay below the bound are cut together, the largest first", "[zeromq]") {
  guarded at;
  stranger small = at.connect("DEALER");
  stranger large = at.connect("DEALER");
  send_parts(at, small, bound / 4);
  CHECK(at.cut == 0);
  send_parts(at, large, bound);
  at.until([&] { return at.cut == 1; });
  large.wait_for_end();
  at.until([&] { return at.connections() == 1; });
}

TEST_CASE("guard: one connection more than the bound is cut at once", "[zeromq]") {
  guarded at({.connections_max = 2});
  stranger one = at.connect("DEALER");
  stranger two = at.connect("DEALER");
  CHECK(at.cut == 0);
  stranger three = at.connect("DEALER");
  CHECK(at.cut == 1);
  three.wait_for_end();
  at.until([&] { return at.connections() == 2; });
}

TEST_CASE("guard: subscriptions are counted against what was taken back, and cut above the bound", "[zeromq]") {
  guarded at({.held_max_bytes = 100}, zmq::socket_type::xpub);
  stranger from = at.connect("SUB");
  const auto say = [&](char what, const std::string& topic) {
    REQUIRE(from.send(stranger::frame(what + topic, false)));
    at.take_subscription();
    at.pass(rest_interval);
  };
  for (int i = 0; i != 10; ++i) {
    say('\x01', std::string(90, 'a'));
    say('\0', std::string(90, 'a'));
  }
  say('\x01', std::string(100, 'a'));
  CHECK(at.cut == 0);
  say('\x01', "b");
  at.until([&] { return at.cut == 1; });
  from.wait_for_end();
}

TEST_CASE("guard: only what was subscribed can be taken back, and once", "[zeromq]") {
  guarded at({.held_max_bytes = 100}, zmq::socket_type::xpub);
  stranger from = at.connect("SUB");
  const auto say = [&](const std::string& what) {
    REQUIRE(from.send(stranger::frame(what, false)));
    at.take_subscription();
    at.pass(rest_interval);
  };
  say('\x01' + std::string(60, 'a'));
  say('\x01' + std::string(60, 'a'));  // the same
  say('\0' + std::string(60, 'b'));
  say(std::string(60, 'c'));  // no request at all
  CHECK(at.cut == 0);
  say('\x01' + std::string(60, 'd'));
  at.until([&] { return at.cut == 1; });
}

TEST_CASE("guard: a subscription costs what libzmq takes for it", "[zeromq]") {
  guarded at({.held_max_bytes = 1'000, .cost_per_byte = 10, .cost_per_subscription = 400}, zmq::socket_type::xpub);
  stranger from = at.connect("SUB");
  for (const char* const each : {"a", "bb"}) {
    REQUIRE(from.send(stranger::frame('\x01' + std::string(each), false)));
    at.take_subscription();
    at.pass(rest_interval);
  }
  CHECK(at.cut == 0);
  REQUIRE(from.send(stranger::frame('\x01' + std::string("c"), false)));
  at.take_subscription();
  at.pass(rest_interval);
  at.until([&] { return at.cut == 1; });
}

TEST_CASE("guard: heartbeats explain their rate, however often it looks", "[zeromq]") {
  guarded at({.held_max_bytes = 1'000, .heartbeat_bytes_per_second = 100});
  stranger from = at.connect("DEALER");
  REQUIRE(from.send(stranger::frame(std::string(100, 'x'), true)));
  for (int i = 0; i != 50 && at.cut == 0; ++i) {  // one second
    REQUIRE(from.send(stranger::frame(std::string(100, 'x'), true)));
    while (!from.arrived()) std::this_thread::yield();  // no time passes
    at.pass(look_interval);
  }
  at.until([&] { return at.cut == 1; });
}

TEST_CASE("guard: without a descriptor left it knows connections and cuts them", "[zeromq]") {
  guarded at;
  stranger from(at.endpoint());  // while there is one
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next) + 1;  // one for libzmq's end
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  from.greet("DEALER");
  at.work();
  send_parts(at, from, bound + part.size());
  at.until([&] { return at.cut == 1; });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("guard: subscriptions of all connections together are bounded, too", "[zeromq]") {
  guarded at({.held_max_bytes = 100, .held_sum_max_bytes = 150}, zmq::socket_type::xpub);
  const auto subscribe = [&](stranger& from, std::size_t size) {
    REQUIRE(from.send(stranger::frame('\x01' + std::string(size, 'a'), false)));
    at.take_subscription();
    at.pass(rest_interval);
  };
  stranger one = at.connect("SUB");
  stranger two = at.connect("SUB");
  subscribe(one, 60);
  subscribe(two, 90);
  CHECK(at.cut == 0);
  subscribe(one, 1);
  at.until([&] { return at.cut == 1; });
  two.wait_for_end();  // who has most
  at.until([&] { return at.connections() == 1; });
  subscribe(one, 30);
  CHECK(at.cut == 1);
}

TEST_CASE("guard: who says nothing that is understood is cut in time, who did may be silent", "[zeromq]") {
  guarded at({.silence_max = std::chrono::seconds(10)});
  stranger silent = at.connect("DEALER");
  stranger known = at.connect("DEALER");
  REQUIRE(known.send(stranger::frame("a word", false)));
  at.take_and_keep();
  CHECK(at.next_timer() <= at.now() + std::chrono::seconds(10));
  at.pass(std::chrono::seconds(10) - std::chrono::nanoseconds(1));
  CHECK(at.cut == 0);
  at.pass(std::chrono::nanoseconds(1));
  CHECK(at.cut == 1);
  silent.wait_for_end();
  at.until([&] { return at.connections() == 1; });
  at.pass(std::chrono::minutes(1));
  CHECK(at.cut == 1);
}

TEST_CASE("guard: it looks often while something comes, rarely at rest, and never without a connection", "[zeromq]") {
  guarded at;
  CHECK(at.next_timer() == amphibus::base::time_point::max());
  {
    stranger from = at.connect("DEALER");
    CHECK(at.next_timer() <= at.now() + look_interval);
    // The greeting has come; nothing else will.
    at.until([&] { return at.next_timer() > at.now() + look_interval; });
    CHECK(at.next_timer() <= at.now() + rest_interval);
    send_parts(at, from, part.size());
    at.until([&] { return at.next_timer() > at.now() + look_interval; });
  }
  at.until([&] { return at.connections() == 0; });
  CHECK(at.next_timer() == amphibus::base::time_point::max());
}

TEST_CASE("guard: a connection that ended is forgotten, and its number may come back", "[zeromq]") {
  guarded at;
  for (int i = 0; i != 5; ++i) {
    {
      stranger from = at.connect("DEALER");
      send_parts(at, from, bound / 2);
    }
    at.until([&] { return at.connections() == 0; });
  }
  CHECK(at.cut == 0);
}
