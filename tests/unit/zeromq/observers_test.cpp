// Who may look on: the number of observers, their end, what they are told, without a process around.
#include "observers.hpp"

#include <catch2/catch.hpp>

#include <amphibus/testing/manual_clock.hpp>

#include "sockets.hpp"

using namespace amphibus;
using namespace amphibus::zeromq;
using namespace std::chrono_literals;

namespace {

const control_message asks{0, observe{}};
const control_message leaves{0, bye{}};

/// The observers of process `front`, whose n-th tap endpoint is inproc://tapN.
struct front {
  base::time_point now{1h};
  zmq::context_t context;
  int opened = 0;
  bool can_open = true;
  observers all;

  explicit front(std::size_t count_max)
      : all({"front", 7, count_max, 10s}, {[this] { return open(); },
                                           [](const std::string& topic) {
                                             return described{topic, "t", 1, 2, "schema"};
                                           }}) {}

  tap_socket open() {
    if (!can_open) throw error(error_code::endpoint_in_use, "no free port", "free one");
    ++opened;
    zmq::socket_t socket(context, zmq::socket_type::pub);
    const std::string endpoint = "inproc://tap" + std::to_string(opened);  // the one before may be about to close
    socket.bind(endpoint);
    return {std::move(socket), endpoint};
  }
  std::optional<control_body> hears(const std::string& id, const control_message& message = asks) {
    return all.on_message(now, id, message);
  }
  bool admits(const std::string& id) {
    const auto answer = hears(id);
    return answer && std::holds_alternative<observed>(*answer);
  }
  std::string refusal(const std::string& id, const control_message& message = asks) {
    const auto answer = hears(id, message);
    const auto* no = answer ? std::get_if<reject>(&*answer) : nullptr;
    return no == nullptr ? "" : to_string(static_cast<error_code>(no->code)) + ": " + no->text;
  }
};

}  // namespace

TEST_CASE("observers: who asks is told the process and its tap endpoint, which is opened once", "[zeromq]") {
  front f(2);
  CHECK(f.all.tap() == nullptr);
  const auto answer = f.hears("one");
  REQUIRE(answer);
  CHECK(std::get<observed>(*answer).process == "front");
  CHECK(std::get<observed>(*answer).tap_endpoint == "inproc://tap1");
  CHECK(f.admits("two"));
  CHECK(f.admits("one"));
  CHECK(f.opened == 1);
  CHECK(f.all.tap() != nullptr);
}

TEST_CASE("observers: one more than the bound is refused by name, who is known is not", "[zeromq]") {
  front f(2);
  CHECK(f.admits("one"));
  CHECK(f.admits("two"));
  CHECK_THAT(f.refusal("three"), Catch::Contains("AMB-E0308") && Catch::Contains("'front' takes 2 observers"));
  CHECK(f.admits("two"));
  static_cast<void>(f.hears("one", leaves));
  CHECK(f.admits("three"));
}

TEST_CASE("observers: a bound of none refuses the first", "[zeromq]") {
  front f(0);
  CHECK_THAT(f.refusal("one"), Catch::Contains("AMB-E0308"));
  CHECK(f.opened == 0);
}

TEST_CASE("observers: the tap closes when the last one leaves, and opens again", "[zeromq]") {
  front f(2);
  CHECK(f.admits("one"));
  CHECK(f.admits("two"));
  static_cast<void>(f.hears("one", leaves));
  CHECK(f.all.tap() != nullptr);
  static_cast<void>(f.hears("two", leaves));
  CHECK(f.all.tap() == nullptr);
  CHECK(f.admits("one"));
  CHECK(f.opened == 2);
}

TEST_CASE("observers: who is silent for the limit is forgotten, who asks again is not", "[zeromq]") {
  front f(2);
  CHECK(f.all.next_timer() == base::time_point::max());
  CHECK(f.admits("one"));
  CHECK(f.admits("two"));
  f.now += 9s;
  CHECK(f.admits("two"));
  CHECK(f.all.next_timer() == f.now + 1s);
  f.now += 1s - 1ns;
  f.all.on_timer(f.now);
  CHECK(f.all.known().size() == 2);
  f.now += 1ns;
  f.all.on_timer(f.now);
  CHECK(f.all.known().size() == 1);
  CHECK(f.all.known().contains("two"));
  f.now += 9s;
  f.all.on_timer(f.now);
  CHECK(f.all.tap() == nullptr);
}

TEST_CASE("observers: one of another protocol is refused with both ranges", "[zeromq]") {
  front f(2);
  CHECK_THAT(f.refusal("one", {0, observe{4, 5}}), Catch::Contains("AMB-E0304") && Catch::Contains("4 to 5"));
  CHECK(f.all.known().empty());
}

TEST_CASE("observers: a tap that cannot be opened is a refusal that says why", "[zeromq]") {
  front f(2);
  f.can_open = false;
  CHECK_THAT(f.refusal("one"), Catch::Contains("AMB-E0308") && Catch::Contains("no free port"));
  CHECK(f.all.known().empty());
  f.can_open = true;
  CHECK(f.admits("one"));
}

TEST_CASE("observers: questions beyond a second's bound get no answer, and do in the next second", "[zeromq]") {
  front f(2);
  std::size_t answered = 0;
  for (std::size_t i = 0; i != observer_answers_max + 10; ++i) answered += f.admits("one") ? 1 : 0;
  CHECK(answered == observer_answers_max);
  f.now += 1s;
  CHECK(f.admits("one"));
}

TEST_CASE("observers: only questions of observers and messages of known ones concern them", "[zeromq]") {
  front f(2);
  CHECK(f.all.concerns("one", asks));
  CHECK(f.all.concerns("one", leaves));
  CHECK_FALSE(f.all.concerns("one", {7, bye{}}));  // of a process
  CHECK_FALSE(f.all.concerns("one", {0, describe{"a.b"}}));
  CHECK(f.admits("one"));
  CHECK(f.all.concerns("one", {0, describe{"a.b"}}));
  CHECK(f.all.concerns("one", {0, ready{}}));
  CHECK_FALSE(f.hears("one", {0, ready{}}).has_value());
}

TEST_CASE("observers: what a topic is comes on the tap, to whoever subscribes it there", "[zeromq]") {
  front f(2);
  CHECK(f.admits("one"));
  zmq::socket_t sub(f.context, zmq::socket_type::sub);
  sub.connect(f.all.tap()->endpoint());
  sub.set(zmq::sockopt::subscribe, std::string(description_prefix));
  zmq::message_t topic;
  do {
    f.now += 1s;
    CHECK_FALSE(f.hears("one", {0, describe{"a.b"}}).has_value());
  } while (!sub.recv(topic, zmq::recv_flags::dontwait));
  CHECK(topic.to_string() == description_topic("a.b"));
  zmq::message_t body;
  REQUIRE(sub.recv(body));
  control_message said;
  REQUIRE(decode({body.data<std::byte>(), body.size()}, said) == nullptr);
  CHECK(said.incarnation == 7);
  CHECK(std::get<described>(said.body).binary_schema == "schema");
}

TEST_CASE("tap: a batch larger than the bound is not shown, one of the bound is", "[zeromq]") {
  front f(1);
  CHECK(f.admits("one"));
  zmq::socket_t sub(f.context, zmq::socket_type::sub);
  sub.connect(f.all.tap()->endpoint());
  sub.set(zmq::sockopt::subscribe, "");
  zmq::message_t topic;
  const auto show = [&f](const char* name, std::size_t size) {
    f.all.tap()->show(zmq::message_t(name, 1), zmq::message_t(size));
  };
  do {
    show("0", 1);
  } while (!sub.recv(topic, zmq::recv_flags::dontwait));
  show("a", tap_batch_size_max_bytes + 1);
  show("b", tap_batch_size_max_bytes);
  for (std::string got = "0"; got == "0"; got = topic.to_string()) {
    while (topic.more()) static_cast<void>(sub.recv(topic));
    REQUIRE(sub.recv(topic));
  }
  CHECK(topic.to_string() == "b");
}
