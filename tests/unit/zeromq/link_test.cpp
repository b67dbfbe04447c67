#include "link.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace amphibus;
using namespace amphibus::zeromq;
using namespace std::chrono_literals;

namespace {

using peer_link = zeromq::link;  // POSIX has a function of that name
const base::time_point start{1h};

link_settings settings(const char* own, const char* peer, bool connects) {
  link_settings out;
  out.own_process = own;
  out.peer_process = peer;
  out.connects = connects;
  out.routes_digest = 5;
  out.data_endpoints = {"ipc:///tmp/x.r0"};
  return out;
}

template <class Action>
std::vector<Action> of_kind(const std::vector<link_action>& all) {
  std::vector<Action> out;
  for (const auto& each : all) {
    if (const auto* found = std::get_if<Action>(&each)) out.push_back(*found);
  }
  return out;
}

/// Two links joined by hand: what one sends, the other gets; everything else is kept for the test.
struct pair_of_links {
  peer_link a{settings("a", "b", false)};
  peer_link b{settings("b", "a", true)};
  std::vector<link_action> of_a;
  std::vector<link_action> of_b;
  base::time_point now = start;

  void settle() {
    for (bool moved = true; moved;) moved = carry(a, b, 1, of_a) | carry(b, a, 2, of_b);
  }
  bool carry(peer_link& from, peer_link& to, std::uint64_t incarnation, std::vector<link_action>& kept) {
    const auto actions = from.take_actions();
    for (const auto& each : actions) {
      kept.push_back(each);
      if (const auto* sent = std::get_if<send_control>(&each)) to.on_message(now, {incarnation, sent->body});
    }
    return !actions.empty();
  }
  void connect() {
    b.on_connected(now);
    settle();
  }
};

control_topic orders(bool subscribed, std::uint16_t major = 1) {
  return {"shop.orders", 0, "shop.order", major, 9, subscribed};
}

const control_pattern all_orders{"shop.*", "shop.order", 1};

}  // namespace

TEST_CASE("link: hello in both directions establishes both sides and opens data", "[zeromq]") {
  pair_of_links two;
  two.connect();
  CHECK(two.a.established());
  CHECK(two.b.established());
  CHECK(of_kind<open_data>(two.of_a).size() == 1);
  CHECK(of_kind<open_data>(two.of_b).size() == 1);
}

TEST_CASE("link: an announced subscription becomes interest when its marker came through, before the sync",
          "[zeromq]") {
  pair_of_links two;
  two.b.on_local_change(two.now, {1, {orders(true)}, {}});
  two.connect();
  CHECK(of_kind<set_interest>(two.of_a).empty());
  CHECK(two.a.on_marker(0, 2, 1));
  two.of_a.clear();
  two.settle();
  REQUIRE(two.of_a.size() == 2);
  REQUIRE(std::holds_alternative<set_interest>(two.of_a[0]));
  CHECK(std::get<set_interest>(two.of_a[0]).wanted);
  CHECK(std::holds_alternative<send_sync>(two.of_a[1]));
  two.b.on_local_change(two.now, {2, {orders(false)}, {}});
  two.settle();
  REQUIRE(of_kind<set_interest>(two.of_a).size() == 2);
  CHECK_FALSE(of_kind<set_interest>(two.of_a)[1].wanted);
}

TEST_CASE("link: a marker of an earlier revision or another route makes no interest", "[zeromq]") {
  pair_of_links two;
  two.connect();
  CHECK(two.a.on_marker(0, 2, 0));
  two.b.on_local_change(two.now, {1, {orders(true)}, {}});
  two.settle();
  CHECK(two.a.on_marker(1, 2, 1));
  two.settle();
  CHECK(of_kind<set_interest>(two.of_a).empty());
  CHECK(two.a.on_marker(0, 2, 1));
  two.settle();
  CHECK(of_kind<set_interest>(two.of_a).size() == 1);
}

TEST_CASE("link: a pattern becomes interest when its marker came through on every route, and ends with its end",
          "[zeromq]") {
  pair_of_links two;
  auto of_a = settings("a", "b", false);
  auto of_b = settings("b", "a", true);
  of_a.data_endpoints.emplace_back("ipc:///tmp/x.r1");
  of_b.data_endpoints.emplace_back("ipc:///tmp/y.r1");
  two.a = peer_link(of_a);
  two.b = peer_link(of_b);
  two.b.on_local_change(two.now, {1, {}, {all_orders}});
  two.connect();
  CHECK(two.a.on_marker(0, 2, 1));
  two.settle();
  CHECK(of_kind<set_pattern>(two.of_a).empty());
  CHECK(two.a.on_marker(1, 2, 1));
  two.of_a.clear();
  two.settle();
  REQUIRE(two.of_a.size() == 2);
  REQUIRE(std::holds_alternative<set_pattern>(two.of_a[0]));
  CHECK(std::get<set_pattern>(two.of_a[0]).what == all_orders);
  CHECK(std::get<set_pattern>(two.of_a[0]).wanted);
  CHECK(std::holds_alternative<send_sync>(two.of_a[1]));
  two.of_a.clear();
  two.b.on_local_change(two.now, {2, {}, {}});
  two.settle();
  REQUIRE(of_kind<set_pattern>(two.of_a).size() == 1);
  CHECK_FALSE(of_kind<set_pattern>(two.of_a)[0].wanted);
}

TEST_CASE("link: a pattern that ended before its marker came never was interest", "[zeromq]") {
  pair_of_links two;
  two.connect();
  two.b.on_local_change(two.now, {1, {}, {all_orders}});
  two.settle();
  two.b.on_local_change(two.now, {2, {}, {}});
  two.settle();
  CHECK(two.a.on_marker(0, 2, 2));
  two.settle();
  CHECK(of_kind<set_pattern>(two.of_a).empty());
}

TEST_CASE("link: a topic of the peer is offered when it is new, and again when patterns or types are new here",
          "[zeromq]") {
  pair_of_links two;
  two.a.on_local_change(two.now, {0, {orders(false)}, {}});
  two.connect();
  REQUIRE(of_kind<offer_topic>(two.of_b).size() == 1);
  CHECK(of_kind<offer_topic>(two.of_b)[0].what == orders(false));
  REQUIRE(two.b.find_announced("shop.orders") != nullptr);
  CHECK(two.b.find_announced("shop.order") == nullptr);
  two.b.on_local_change(two.now, {1, {}, {all_orders}});
  two.settle();
  CHECK(of_kind<offer_topic>(two.of_b).size() == 2);
  two.b.on_local_change(two.now, {1, {{"shop.zeta", 0, "shop.zeta", 1, 1, false}}, {all_orders}});
  two.settle();
  CHECK(of_kind<offer_topic>(two.of_b).size() == 3);
  two.b.on_local_change(two.now, {1, {{"shop.zeta", 0, "shop.zeta", 1, 1, false}, orders(false)}, {all_orders}});
  two.a.on_local_change(two.now, {1, {orders(true)}, {}});
  two.settle();
  CHECK(of_kind<offer_topic>(two.of_b).size() == 4);
}

TEST_CASE("link: more topics than the bound are refused by name, over any number of messages", "[zeromq]") {
  pair_of_links two;
  two.connect();
  for (std::size_t i = 0; i <= control_topics_max; i += 5'000) {
    update more;
    for (std::size_t j = i; j != i + 5'000; ++j) more.topics.push_back({"t." + std::to_string(j), 0, "t", 1, 1, false});
    two.a.on_message(two.now, {2, more});
  }
  const auto actions = two.a.take_actions();
  CHECK_FALSE(two.a.established());
  REQUIRE(of_kind<fail_start>(actions).size() == 1);
  CHECK_THAT(of_kind<fail_start>(actions)[0].why.what(), Catch::Contains("more than 20,000 topics"));
  CHECK(of_kind<offer_topic>(actions).size() == control_topics_max);
}

TEST_CASE("link: more topics than the bound are refused by name in one message, too", "[zeromq]") {
  pair_of_links two;
  update many;
  for (std::size_t i = 0; i <= control_topics_max; ++i) many.topics.push_back({"t", 0, "t", 1, 1, false});
  SECTION("a hello") {
    two.b.on_local_change(two.now, many);
    two.connect();
  }
  SECTION("an update") {
    two.connect();
    two.a.on_message(two.now, {2, many});
    two.settle();
  }
  for (const auto* each : {&two.of_a, &two.of_b}) {
    REQUIRE(of_kind<fail_start>(*each).size() == 1);
    CHECK_THAT(of_kind<fail_start>(*each)[0].why.what(),
               Catch::Contains("AMB-E0304") && Catch::Contains("more than 20,000 topics"));
  }
}

TEST_CASE("link: topics that changed while the hello was on its way are sent afterwards", "[zeromq]") {
  pair_of_links two;
  two.b.on_connected(two.now);
  two.b.on_local_change(two.now, {1, {orders(true)}, {}});
  two.settle();
  CHECK(two.a.on_marker(0, 2, 1));
  two.settle();
  CHECK(of_kind<set_interest>(two.of_a).size() == 1);
}

TEST_CASE("link: a marker is answered only when the revision it belongs to is known", "[zeromq]") {
  pair_of_links two;
  two.connect();
  CHECK(two.a.on_marker(0, 2, 1));
  CHECK(of_kind<send_sync>(two.a.take_actions()).empty());
  two.b.on_local_change(two.now, {1, {orders(true)}, {}});
  two.settle();
  REQUIRE(of_kind<send_sync>(two.of_a).size() == 1);
  CHECK(of_kind<send_sync>(two.of_a)[0].revision == 1);
}

TEST_CASE("link: a marker of somebody else is not claimed", "[zeromq]") {
  pair_of_links two;
  CHECK_FALSE(two.a.on_marker(0, 2, 0));
  two.connect();
  CHECK_FALSE(two.a.on_marker(0, 99, 0));
}

TEST_CASE("link: confirmed means a sync of the current revision, not of an earlier one", "[zeromq]") {
  pair_of_links two;
  two.b.on_local_change(two.now, {1, {orders(true)}, {}});
  two.connect();
  CHECK_FALSE(two.b.confirmed());
  two.b.on_sync(0, 1);
  CHECK(two.b.confirmed());
  two.b.on_local_change(two.now, {2, {orders(true), {"shop.zeta", 0, "t", 1, 1, true}}, {}});
  CHECK_FALSE(two.b.confirmed());
}

TEST_CASE("link: other routes, another type or major, another process are refused by name on both sides", "[zeromq]") {
  const auto refused = [](link_settings of_b, std::vector<control_topic> topics_of_b) {
    pair_of_links two;
    two.a.on_local_change(two.now, {1, {orders(true)}, {}});
    two.b = peer_link(std::move(of_b));
    two.b.on_local_change(two.now, {1, std::move(topics_of_b), {}});
    two.connect();
    const auto here = of_kind<fail_start>(two.of_a);
    const auto there = of_kind<fail_start>(two.of_b);
    CHECK_FALSE(two.a.established());
    CHECK_FALSE(two.b.established());
    return std::string(here.empty() ? "" : here[0].why.what()) + "\n" + (there.empty() ? "" : there[0].why.what());
  };
  auto routes = settings("b", "a", true);
  routes.routes_digest = 6;
  CHECK_THAT(refused(routes, {}),
             Catch::Contains("AMB-E0305") && Catch::Contains("other processes, modules or routes"));
  CHECK_THAT(refused(settings("b", "a", true), {orders(false, 2)}),
             Catch::Contains("AMB-E0306") && Catch::Contains("major 1 in 'a'") && Catch::Contains("major 2 in 'b'"));
  CHECK_THAT(refused(settings("c", "a", true), {}), Catch::Contains("'c' answers where 'b' was expected"));
}

TEST_CASE("link: a group of both processes is refused by name, at hello and when it becomes one later", "[zeromq]") {
  const std::vector<control_group> packers{{"shop.orders", "packers"}};
  const auto refusal_of = [](const pair_of_links& two) {
    const auto here = of_kind<fail_start>(two.of_a);
    CHECK_FALSE(two.a.established());
    CHECK_FALSE(two.b.established());
    return std::string(here.empty() ? "" : here[0].why.what());
  };
  pair_of_links two;
  two.a.on_local_change(two.now, {1, {orders(true)}, {}, packers});
  SECTION("at hello") {
    two.b.on_local_change(two.now, {1, {orders(true)}, {}, packers});
    two.connect();
    CHECK_THAT(refusal_of(two), Catch::Contains("AMB-E0309") && Catch::Contains("group 'packers' of 'shop.orders'") &&
                                    Catch::Contains("in 'a' and in 'b'"));
  }
  SECTION("when the peer joins it") {
    two.connect();
    CHECK(two.a.established());
    two.b.on_local_change(two.now, {2, {orders(true)}, {}, packers});
    two.settle();
    CHECK_FALSE(two.a.established());
    CHECK_FALSE(two.b.established());
  }
  SECTION("a group of another name, or of another topic, is another group") {
    two.b.on_local_change(two.now, {1, {orders(true)}, {}, {{"shop.*", "packers"}, {"shop.orders", "printers"}}});
    two.connect();
    CHECK(two.a.established());
    CHECK(two.b.established());
  }
}

TEST_CASE("link: a peer that did not compare the routes is taken, if it has as many", "[zeromq]") {
  peer_link a(settings("a", "b", false));
  hello foreign;
  foreign.process = "b";
  foreign.data_endpoints = {"ipc:///tmp/y.r0", "ipc:///tmp/y.r1"};
  SECTION("as many") {
    foreign.data_endpoints.pop_back();
    a.on_message(start, {2, foreign});
    CHECK(a.established());
  }
  SECTION("one more") {
    a.on_message(start, {2, foreign});
    CHECK_FALSE(a.established());
  }
}

TEST_CASE("link: another protocol version is refused with both ranges", "[zeromq]") {
  peer_link a(settings("a", "b", false));
  hello strange;
  strange.protocol_min = 4;
  strange.protocol_max = 5;
  a.on_message(start, {2, strange});
  const auto actions = a.take_actions();
  REQUIRE(of_kind<fail_start>(actions).size() == 1);
  CHECK_THAT(of_kind<fail_start>(actions)[0].why.what(), Catch::Contains("AMB-E0304") && Catch::Contains("4 to 5"));
}

TEST_CASE("link: a lost peer's patterns are interest no more", "[zeromq]") {
  pair_of_links two;
  two.b.on_local_change(two.now, {1, {}, {all_orders}});
  two.connect();
  CHECK(two.a.on_marker(0, 2, 1));
  two.settle();
  two.of_a.clear();
  two.a.on_timer(start + 10s);
  const auto actions = two.a.take_actions();
  REQUIRE(of_kind<set_pattern>(actions).size() == 1);
  CHECK_FALSE(of_kind<set_pattern>(actions)[0].wanted);
}

TEST_CASE("link: silence loses the peer, withdraws its interest and makes the connector reopen", "[zeromq]") {
  pair_of_links two;
  two.a.on_local_change(two.now, {1, {orders(true)}, {}});
  two.connect();
  two.of_b.clear();
  two.b.on_timer(start + 4s);
  CHECK(of_kind<send_control>(two.b.take_actions()).empty());
  two.b.on_timer(start + 5s);
  CHECK(of_kind<send_control>(two.b.take_actions()).size() == 1);  // a ping
  two.b.on_timer(start + 10s);
  const auto actions = two.b.take_actions();
  CHECK(of_kind<reopen>(actions).size() == 1);
  REQUIRE(of_kind<tell>(actions).size() == 1);
  CHECK(of_kind<tell>(actions)[0].what.kind == event_kind::peer_lost);
  REQUIRE(of_kind<set_interest>(actions).size() == 1);
  CHECK_FALSE(of_kind<set_interest>(actions)[0].wanted);
}

TEST_CASE("link: a peer that came back as a new process starts afresh", "[zeromq]") {
  pair_of_links two;
  two.connect();
  hello again;
  again.process = "b";
  again.routes_digest = 5;
  again.data_endpoints = {"ipc:///tmp/y.r0"};
  two.a.on_message(two.now, {3, again});
  const auto actions = two.a.take_actions();
  CHECK(two.a.peer_incarnation() == 3);
  CHECK(of_kind<open_data>(actions).size() == 1);
  two.a.on_message(two.now, {2, ready{}});  // a frame of its earlier life
  CHECK_FALSE(two.a.peer_ready());
}

TEST_CASE("link: goodbye is confirmed only when the data path ended too", "[zeromq]") {
  pair_of_links two;
  two.connect();
  two.b.say_bye(two.now);
  two.settle();
  CHECK_FALSE(two.b.settled());
  two.a.on_data_goodbye(two.now);
  two.settle();
  CHECK(two.b.settled());
}

TEST_CASE("link: a goodbye that is said again is answered once", "[zeromq]") {
  pair_of_links two;
  two.connect();
  two.a.on_data_goodbye(two.now);
  for (int i = 0; i != 3; ++i) two.a.on_message(two.now, {2, bye{}});
  const auto actions = two.a.take_actions();
  std::size_t answers = 0;
  for (const auto& each : of_kind<send_control>(actions)) answers += std::holds_alternative<bye_ok>(each.body) ? 1 : 0;
  CHECK(answers == 1);
}

TEST_CASE("link: what a peer says is escaped in every error and event", "[zeromq]") {
  const std::string evil = "\x1b[2J\n\xe2\x80\xae\xff";
  const std::string shown = "\\x1b[2J\\x0a\\xe2\\x80\\xae\\xff";
  const auto all_said = [](peer_link& by) {
    std::string out;
    const auto actions = by.take_actions();
    for (const auto& each : of_kind<tell>(actions)) out += to_string(each.what) + "|";
    for (const auto& each : of_kind<fail_start>(actions)) out += std::string(each.why.what()) + "|";
    std::erase(out, '\n');  // before the mend
    return out;
  };
  const auto check = [&](peer_link& by) {
    const std::string said = all_said(by);
    CHECK_THAT(said, Catch::Contains(shown));
    CHECK(std::all_of(said.begin(), said.end(), [](char each) { return each >= ' ' && each <= '~'; }));
  };
  hello greeting;
  greeting.process = evil;
  peer_link stranger(settings("a", "b", false));
  stranger.on_message(start, {2, greeting});
  check(stranger);

  greeting.process = "b";
  greeting.routes_digest = 5;
  greeting.data_endpoints = {"ipc:///tmp/y.r0"};
  greeting.topics = {orders(false)};
  greeting.topics[0].type_name = evil;
  peer_link other_type(settings("a", "b", false));
  other_type.on_local_change(start, {1, {orders(true)}, {}});
  other_type.on_message(start, {2, greeting});
  check(other_type);

  peer_link refused(settings("a", "b", false));
  refused.on_message(start, {2, reject{305, evil}});
  check(refused);
}
