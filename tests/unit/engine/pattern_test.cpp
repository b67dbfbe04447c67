#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace amphibus;

namespace {

struct number {
  int value;
};
struct word {
  std::string text;
};
constexpr topic<number> first{"t.a.first"};
constexpr topic<number> second{"t.a.second"};
constexpr topic<number> elsewhere{"t.b.third"};
constexpr topic<word> words{"t.a.words"};

using seen_list = std::vector<std::pair<std::string, int>>;

}  // namespace

TEST_CASE("pattern: one subscription gets every topic it covers, those of before and those that appear later",
          "[engine]") {
  bus b;
  loop here;
  b.publish(first, {0});  // exists before the pattern
  seen_list seen;
  auto sub = b.subscribe(pattern<number>{"t.a.*"}, {.on = here},
                         [&](const number& n, const context& with) { seen.emplace_back(with.topic(), n.value); });
  b.publish(first, {1});
  b.publish(second, {2});
  b.publish(elsewhere, {3});
  b.publish(second, {4});
  here.run_until_idle();
  std::sort(seen.begin(), seen.end());  // no order between topics
  CHECK(seen == seen_list{{"t.a.first", 1}, {"t.a.second", 2}, {"t.a.second", 4}});
  CHECK(sub.counters().handled == 3);
}

TEST_CASE("pattern: topics of another type are passed over and told once", "[engine]") {
  bus b;
  loop here;
  std::vector<event> told;
  b.on_event([&](const event& what) { told.push_back(what); });
  int seen = 0;
  auto sub = b.subscribe(pattern<number>{"t.>"}, {.name = "numbers", .on = here}, [&](const number&) { ++seen; });
  b.publish(words, {"not a number"});
  b.publish(words, {"nor this"});
  b.publish(first, {1});
  here.run_until_idle();
  CHECK(seen == 1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == event_kind::topic_skipped);
  CHECK(told[0].topic == "t.a.words");
  CHECK(told[0].subscription == "numbers");
}

TEST_CASE("pattern: any_message sees every type, inline or not", "[engine]") {
  bus b;
  loop here;
  int sum = 0;
  std::string text;
  std::vector<std::string> types;
  auto sub = b.subscribe(pattern<any_message>{">"}, {.on = here}, [&](const any_message& m) {
    types.emplace_back(m.type_name());
    if (const auto* const n = m.as<number>()) sum += n->value;
    if (const auto* const w = m.as<word>()) text += w->text;
  });
  b.publish(first, {40});
  b.publish(words, {"a message that does not fit into a slot"});
  b.publish(elsewhere, {2});
  here.run_until_idle();
  CHECK(sum == 42);
  CHECK(text == "a message that does not fit into a slot");
  CHECK(types.size() == 3);
}

TEST_CASE("pattern: refuses, drops and counts like any subscription", "[engine]") {
  bus b;
  loop here;
  std::vector<std::uint64_t> lost;
  auto blocking = b.subscribe(pattern<number>{"t.a.*"}, {.capacity = 2, .on = here}, [](const number&) {});
  auto dropping =
      b.subscribe(pattern<number>{"t.a.*"}, {.capacity = 1, .overflow = overflow::drop_newest(), .on = here},
                  [&](const number&, const context& with) { lost.push_back(with.lost_before()); });
  CHECK(b.try_publish(first, {1}) == publish_status::accepted);
  CHECK(b.try_publish(second, {2}) == publish_status::accepted);
  CHECK(b.try_publish(first, {3}) == publish_status::would_block);
  CHECK(dropping.counters().dropped == 1);
  here.run_until_idle();
  CHECK(b.try_publish(second, {4}) == publish_status::accepted);
  here.run_until_idle();
  CHECK(lost == std::vector<std::uint64_t>{0, 1});
  CHECK(b.counters(second).published == 2);
}

TEST_CASE("pattern: its end takes it out of every topic, and later ones do not find it", "[engine]") {
  bus b;
  loop here;
  int seen = 0;
  auto sub = b.subscribe(pattern<number>{"t.>"}, {.on = here}, [&](const number&) { ++seen; });
  b.publish(first, {1});
  sub.end();
  CHECK(b.publish(first, {2}) == publish_status::no_subscribers);
  CHECK(b.publish(second, {3}) == publish_status::no_subscribers);
  here.run_until_idle();
  CHECK(seen == 0);
}

TEST_CASE("pattern: drain waits for it", "[engine]") {
  bus b;
  int seen = 0;
  auto sub = b.subscribe(pattern<number>{"t.*.first"}, [&](const number& n) {
    ++seen;
    if (n.value > 0) b.publish(first, {n.value - 1});
  });
  b.publish(first, {100});
  CHECK(b.drain().complete());
  CHECK(seen == 101);
}

TEST_CASE("pattern: try_subscribe returns what subscribe throws", "[engine]") {
  bus b;
  loop here;
  int seen = 0;
  const auto count = [&](const number&) { ++seen; };
  auto sub = b.try_subscribe(pattern<number>{"t.a.*"}, {.on = here}, count);
  REQUIRE(sub);
  b.publish(first, {1});
  here.run_until_idle();
  CHECK(seen == 1);
  CHECK(b.try_subscribe(pattern<number>{"t.>"}, {.capacity = 0}, count).error().code() == error_code::bad_option);
  b.close(base::duration::zero());
  CHECK(b.try_subscribe(pattern<number>{"t.>"}, count).error().code() == error_code::bus_closed);
}

TEST_CASE("pattern: run-time text is checked, with the escaped text and the position", "[engine]") {
  CHECK(pattern<number>::parse("t.*.x").value().covers("t.a.x"));
  const auto bad = pattern<number>::parse("t.>.x\n");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code() == error_code::bad_topic);
  CHECK(std::string(bad.error().what()).find("\\x0a") != std::string::npos);
}

TEST_CASE("make_topic: a name of run time is the topic of that name, and a bad one is refused", "[engine]") {
  bus b;
  loop here;
  std::vector<int> seen;
  auto sub = b.subscribe(first, {.on = here}, [&](const number& n) { seen.push_back(n.value); });
  auto same = b.make_topic<number>(std::string("t.a.") + "first");
  REQUIRE(same);
  b.publish(*same, {1});
  b.publish(first, {2});
  b.publisher(*same).publish({3});
  here.run_until_idle();
  std::sort(seen.begin(), seen.end());  // the publisher is another source
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(b.make_topic<word>("t.a.first").error().code() == error_code::topic_type_conflict);
  CHECK(b.make_topic<word>("t..x").error().code() == error_code::bad_topic);
  CHECK(b.make_topic<word>("t.*").error().code() == error_code::bad_topic);
}
