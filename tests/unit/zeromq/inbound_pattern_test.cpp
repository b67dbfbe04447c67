// What an inbound makes of topics that only a pattern covers.
#include "wired.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include <amphibus/wire/topic_name.hpp>

using namespace zeromq_test;

namespace {

using values = std::vector<std::uint64_t>;

/// Every topic of these is sent and known here.
const std::vector<std::string> names{"a",           "ab",
                                     "b",           "a.b",
                                     "a.bc",        "a.b.c",
                                     "a.c",         "a.c.b",
                                     "ab.c",        "a-b",
                                     "A.b",         "_",
                                     "-",           "9.z",
                                     "Z.a",         "z",
                                     "a.b.c.d",     "a.b-c",
                                     "a.b_c.d",     "shop",
                                     "shop.orders", "shop.orders.placed",
                                     "shop.order",  "shopping.orders"};
const std::vector<std::string> patterns{
    ">",   "*",      "*.*",    "*.b",           "*.b.*",         "a",          "a.b", "a.*",
    "a.>", "a.*.c",  "a.b.>",  "a.b.*",         "a.b.c",         "*.*.*",      "*.>", "ab.*",
    "_",   "shop.>", "shop.*", "shop.*.placed", "shop.orders.>", "*.orders.*", "9.*", "Z.>"};

}  // namespace

TEST_CASE("inbound: a pattern lets through exactly what topic_matches says, for every pair", "[zeromq]") {
  for (const std::string& pattern : patterns) {
    wired w;
    for (const std::string& name : names) {
      w.host.topics_here[name];
      w.announced.insert(name);
    }
    w.announced.insert("end");
    w.host.topics_here["end"];
    w.subscribe({{"end"}, {pattern}}, 2);
    for (const std::string& name : names) w.send_topic(name, wired::batch(1, 1));
    w.send_topic("end", wired::batch(1, 1));
    w.receive_until([&] { return !w.host.topics_here["end"].values.empty(); });
    for (const std::string& name : names) {
      INFO(pattern << " and " << name);
      CHECK(w.host.topics_here[name].values.empty() != wire::topic_matches(pattern, name));
    }
    CHECK(w.host.events.empty());
  }
}

TEST_CASE("inbound: what its patterns subscribe leaves the topics of the protocol to others", "[zeromq]") {
  wired w;
  w.subscribe({{}, {">"}}, 2);
  std::set<std::string> subscribed;
  w.in->subscribe({{}, {"*.b"}}, own, 3);  // the same filters
  w.in->subscribe({{}, {"a.*"}}, own, 4);
  while (w.request.to_string_view() != '\x01' + marker_topic(own, 4)) {
    if (w.pub.recv(w.request, zmq::recv_flags::dontwait)) subscribed.insert(w.request.to_string());
  }
  CHECK(std::count_if(subscribed.begin(), subscribed.end(),
                      [](const std::string& each) { return each.size() == 2 && each[0] == '\0'; }) == 64);
  CHECK(
      subscribed.contains("\x01"
                          "a."));
  CHECK_FALSE(subscribed.contains("\x01"));
}

TEST_CASE("inbound: a topic that is not announced yet waits, and is not polled meanwhile", "[zeromq]") {
  wired w;
  w.host.topics_here["x.new"];
  w.subscribe({{"a.b"}, {"x.*"}}, 2);
  w.send_topic("x.new", wired::batch(1, 3));
  w.send(wired::batch(1, 1));
  w.receive_until([&] { return w.in->pending(); });
  CHECK_FALSE(w.in->work(w.host.time.now()));
  CHECK(w.in->next_timer() == w.host.time.now() + std::chrono::seconds(10));
  CHECK(w.got().values.empty());
  w.announced.insert("x.new");
  w.receive_until([&] { return !w.got().values.empty(); });
  CHECK(w.host.topics_here["x.new"].values == values{1, 2, 3});
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: a topic that is never announced is dropped after peer_stall_max, told and counted", "[zeromq]") {
  wired w;
  w.host.topics_here["x.new"];
  w.subscribe({{"a.b"}, {"x.*"}}, 2);
  w.send_topic("x.new", wired::batch(1, 3));
  w.receive_until([&] { return w.in->pending(); });
  w.host.time.advance(std::chrono::seconds(10));
  w.settle(1);
  CHECK(w.count_of(event_kind::peer_stalled) == 1);
  w.send_topic("x.new", wired::batch(4, 100));  // does not wait once more
  w.settle(2);
  w.announced.insert("x.new");
  w.send_topic("x.new", wired::batch(104, 2));
  w.settle(3);
  CHECK(w.host.topics_here["x.new"].values == values{104, 105});
  CHECK(w.host.topics_here["x.new"].lost_before == values{103, 0});
  CHECK(w.count_of(event_kind::peer_stalled) == 1);
}

TEST_CASE("inbound: a topic known here waits for its announcement too, because its type may be another", "[zeromq]") {
  wired w;
  w.announced.clear();
  w.send(wired::batch(1, 1));
  w.receive_until([&] { return w.in->pending(); });
  CHECK(w.got().values.empty());
  w.announced.insert("a.b");
  w.settle(2);
  CHECK(w.got().values == values{1, 2});
}

TEST_CASE(
    "inbound: a topic that begins after the pattern's sync begins with 1, so that its first message may be missed",
    "[zeromq]") {
  wired w;
  w.host.topics_here["x.old"];
  w.host.topics_here["x.new"];
  w.announced.insert({"x.old", "x.new"});
  w.subscribe({{"a.b"}, {"x.*"}}, 2, {{"x.old", 500}});
  w.send_topic("x.old", wired::batch(500, 1));
  w.send_topic("x.new", wired::batch(3, 1));
  w.settle(1);
  CHECK(w.host.topics_here["x.old"].lost_before == values{0});
  CHECK(w.host.topics_here["x.new"].lost_before == values{2});
  REQUIRE(w.count_of(event_kind::gap) == 1);
  CHECK(w.host.events[0].topic == "x.new");
  CHECK(w.host.events[0].count == 2);
}

TEST_CASE("inbound: a topic whose every message was lost shows as a gap at the goodbye", "[zeromq]") {
  wired w;
  w.host.topics_here["x.new"];
  w.announced.insert({"x.new", "x.other"});  // nobody here wants the other: its type is not the pattern's
  w.subscribe({{"a.b"}, {"x.*"}}, 2);
  w.send(goodbye_topic, wired::numbers(wire::batch_kind::goodbye, {{"x.new", 4}, {"x.other", 9}, {"y", 7}}));
  w.receive_until([&] { return w.goodbyes == 1; });
  REQUIRE(w.count_of(event_kind::gap) == 1);
  CHECK(w.host.events[0].topic == "x.new");
  CHECK(w.host.events[0].count == 3);
}

TEST_CASE("inbound: what is passed over is neither a loss nor a gap, also to whoever wants it later", "[zeromq]") {
  wired w;
  w.announced.insert("x.other");
  w.subscribe({{"a.b"}, {"x.*"}}, 2);
  w.send_topic("x.other", wired::batch(1, 1));
  w.send_topic("x.other", wired::batch(10, 5));
  w.settle(1);
  CHECK_FALSE(w.in->pending());
  w.host.topics_here["x.other"];  // its type became known
  w.send_topic("x.other", wired::batch(20, 1));
  w.send_topic("x.other", wired::batch(22, 1));
  w.settle(2);
  CHECK(w.host.topics_here["x.other"].values == values{20, 22});
  CHECK(w.host.topics_here["x.other"].lost_before == values{0, 1});
  CHECK(w.count_of(event_kind::gap) == 1);
}

TEST_CASE("inbound: what was passed over before a sync is no loss to whoever wants it later", "[zeromq]") {
  wired w;
  w.announced.insert("x.other");
  w.subscribe({{"a.b"}, {"x.*"}}, 2, {{"x.other", 5}});
  w.subscribe({{"a.b"}, {"x.*"}}, 3, {{"x.other", 9}});
  w.host.topics_here["x.other"];  // its type became known
  w.send_topic("x.other", wired::batch(9, 1));
  w.settle(1);
  CHECK(w.host.topics_here["x.other"].lost_before == values{0});
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: a pattern's end ends its topics, and made again it has lost nothing from before", "[zeromq]") {
  wired w;
  recorder& got = w.host.topics_here["x.new"];
  w.announced.insert("x.new");
  w.subscribe({{"a.b"}, {"x.*"}}, 2);
  w.send_topic("x.new", wired::batch(1, 2));
  w.settle(1);
  w.subscribe({{"a.b"}, {}}, 3);
  w.in->socket().set(zmq::sockopt::subscribe, "x");  // stragglers
  w.send_topic("x.new", wired::batch(3, 2));
  w.settle(2);
  CHECK(got.values == values{1, 2});
  w.subscribe({{"a.b"}, {"x.*"}}, 4, {{"x.new", 9}, {"a.b", 3}});
  w.send_topic("x.new", wired::batch(9, 1));
  w.settle(3);
  CHECK(got.values == values{1, 2, 9});
  CHECK(got.lost_before == values{0, 0, 0});
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: a name that ends while a pattern goes on keeps counting; while nothing goes on it does not",
          "[zeromq]") {
  wired w;
  w.subscribe({{"a.b"}, {"a.*"}}, 2);
  w.settle(1);
  w.subscribe({{}, {"a.*"}}, 3);
  w.send(wired::batch(4, 1));
  w.receive_until([&] { return w.got().values.size() == 2; });
  CHECK(w.got().lost_before == values{0, 2});
  w.subscribe({{"a.b"}, {"a.*"}}, 4);
  w.host.topics_here.erase("a.b");  // the pattern is of another type: the name was the last who wanted it
  w.subscribe({{}, {"a.*"}}, 5);
  w.send(wired::batch(9, 1));
  w.host.topics_here["x"];
  w.announced.insert("x");
  w.subscribe({{"x"}, {"a.*"}}, 6, {{"a.b", 12}});
  CHECK(w.count_of(event_kind::gap) == 1);
}

TEST_CASE("inbound: a batch in hand goes with the subscription that it waits for", "[zeromq]") {
  wired w;
  w.host.topics_here["x.new"].room = 1;
  w.announced.insert("x.new");
  w.subscribe({{"a.b"}, {"x.*"}}, 2);
  w.send_topic("x.new", wired::batch(1, 100));
  w.receive_until([&] { return w.in->pending(); });
  w.in->subscribe({{"a.b"}, {}}, own, 3);
  CHECK_FALSE(w.in->pending());
  w.settle(1);
  CHECK(w.host.topics_here["x.new"].values == values{1});
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: numbers of a sync or goodbye that lie make no streams", "[zeromq]") {
  wired w;
  w.subscribe({{"a.b"}, {">"}}, 2, {{"a..b", 5}, {"\xff", 6}, {"", 7}, {"a b", 8}});
  auto cut = wired::numbers(wire::batch_kind::goodbye, {{"x.y", 5}});
  for (std::size_t size = 49; size < cut.size(); ++size) {
    auto body = std::vector<std::byte>(cut.begin(), cut.begin() + static_cast<long>(size));
    const auto rest = static_cast<std::uint32_t>(size - 48);
    std::memcpy(body.data() + 36, &rest, sizeof rest);
    w.send(goodbye_topic, wired::with_crc(body));
  }
  w.settle(1);
  CHECK(w.count_of(event_kind::gap) == 0);
}
