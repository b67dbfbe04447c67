// What a peer, or whoever sits on its data port, can send to an inbound.
#include "wired.hpp"

#include <catch2/catch.hpp>

using namespace zeromq_test;

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
  w.in->socket().set(zmq::sockopt::subscribe, "");  // as if libzmq let everything through
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
  w.receive_until([&] { return w.in->pending(); });
  CHECK(w.got().values.size() == 70);
  CHECK_FALSE(w.in->work(w.host.time.now()));
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
  w.receive_until([&] { return w.in->pending(); });
  w.host.time.advance(std::chrono::seconds(9));
  CHECK_FALSE(w.in->work(w.host.time.now()));
  CHECK(w.count_of(event_kind::peer_stalled) == 0);
  w.host.time.advance(std::chrono::seconds(1));
  w.receive_until([&] { return !w.in->pending(); });
  CHECK(w.count_of(event_kind::peer_stalled) == 1);
  w.got().room = 10;
  w.settle(11);
  CHECK(w.got().values == std::vector<std::uint64_t>{11});
  CHECK(w.got().lost_before == std::vector<std::uint64_t>{10});
}

TEST_CASE("inbound: each lost message is in one gap event, though it was missing, or dropped by a stalled subscription",
          "[zeromq]") {
  wired w;
  const auto told = [&] {
    std::uint64_t sum = 0;
    for (const event& each : w.host.events) sum += each.kind == event_kind::gap ? each.count : 0;
    return sum;
  };
  w.got().room = 0;
  w.send(wired::batch(1, 10));
  w.send(wired::batch(21, 10));  // 10 missing
  w.receive_until([&] { return w.in->pending(); });
  w.host.time.advance(std::chrono::seconds(10));
  w.receive_until([&] { return told() == 10; });
  CHECK(w.count_of(event_kind::peer_stalled) == 1);
  w.got().room = 1;
  w.send(wired::batch(31, 1));
  w.receive_until([&] { return w.got().values.size() == 1; });
  CHECK(w.got().lost_before == std::vector<std::uint64_t>{30});
  CHECK(told() == 30);
}

TEST_CASE("inbound: what a stalled subscription dropped is told at the goodbye, if nothing came through before",
          "[zeromq]") {
  wired w;
  w.got().room = 0;
  w.send(wired::batch(1, 10));
  w.receive_until([&] { return w.in->pending(); });
  w.host.time.advance(std::chrono::seconds(10));
  w.receive_until([&] { return !w.in->pending(); });
  CHECK(w.count_of(event_kind::gap) == 0);
  wire::batch_writer last;
  last.begin({wire::batch_kind::goodbye, producer, 0, 0});
  w.send(goodbye_topic, wired::bytes_of(last));
  w.receive_until([&] { return w.goodbyes == 1; });
  REQUIRE(w.count_of(event_kind::gap) == 1);
  CHECK(w.host.events.back().count == 10);
}

TEST_CASE("inbound: a slow subscription that takes something now and then is not stalled", "[zeromq]") {
  wired w;
  w.got().room = 0;
  w.send(wired::batch(1, 10));
  w.receive_until([&] { return w.in->pending(); });
  for (int i = 0; i != 10; ++i) {
    w.host.time.advance(std::chrono::seconds(9));
    w.got().room = 1;
    w.in->work(w.host.time.now());
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

TEST_CASE("inbound: what is lost with a link is told when there is another", "[zeromq]") {
  wired w;
  w.send(wired::batch(1, 5));
  w.receive_until([&] { return w.got().values.size() == 5; });
  SECTION("by the next message") {
    w.relink();
    w.subscribe({{"a.b"}, {}}, 2, {{"a.b", 6}});
    CHECK(w.count_of(event_kind::gap) == 0);
    w.settle(9);
    CHECK(w.got().lost_before.back() == 3);
  }
  SECTION("at once, by what the peer says it has sent") {
    w.relink();
    w.subscribe({{"a.b"}, {}}, 2, {{"a.b", 9}});
    CHECK(w.count_of(event_kind::gap) == 1);
    w.settle(9);
    CHECK(w.got().lost_before.back() == 3);
  }
  SECTION("also what was in hand") {
    w.got().room = 2;
    w.send(wired::batch(6, 4));
    w.receive_until([&] { return w.in->pending(); });
    w.relink();
    w.got().room = 10;
    w.subscribe({{"a.b"}, {}}, 2, {{"a.b", 10}});
    w.settle(10);
    CHECK(w.got().values == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 10});
    CHECK(w.got().lost_before.back() == 2);
  }
  CHECK(w.count_of(event_kind::gap) == 1);
}

TEST_CASE("inbound: a topic that nobody wants any more after the link has lost nothing", "[zeromq]") {
  wired w;
  w.settle(1);
  w.relink();
  w.subscribe({}, 2, {{"a.b", 9}});
  w.subscribe({{"a.b"}, {}}, 3, {{"a.b", 9}});
  w.settle(9);
  CHECK(w.got().lost_before.back() == 0);
  CHECK(w.count_of(event_kind::gap) == 0);
}

TEST_CASE("inbound: a link that breaks after a batch for nobody here has lost nothing more", "[zeromq]") {
  wired w;
  w.subscribe({{"a.b"}, {"a.*"}}, 2);
  w.settle(1);
  w.send_topic("a.b.c", wired::batch(1, 1));  // the prefix of the pattern lets it through
  w.receive_until([&] { return w.in->work(w.host.time.now()); });
  w.relink();
  w.subscribe({{"a.b"}, {"a.*"}}, 3, {{"a.b", 2}});
  w.settle(2);
  CHECK(w.got().lost_before.back() == 0);
  CHECK(w.host.events.empty());
}

TEST_CASE("inbound: a topic that is wanted again before the next link has lost nothing", "[zeromq]") {
  wired w;
  w.settle(1);
  SECTION("its only subscription ended meanwhile") {
    w.relink({{}, {{"a.b"}, {}}});
    w.subscribe({{"a.b"}, {}}, 2, {{"a.b", 9}});
    w.settle(9);
    CHECK(w.got().lost_before.back() == 0);
  }
  SECTION("a pattern of another type goes on") {
    w.relink({{{}, {"a.*"}}});
    w.host.topics_here.erase("a.b");
    w.subscribe({{}, {"a.*"}}, 2, {{"a.b", 9}});
  }
  CHECK(w.count_of(event_kind::gap) == 0);
}
