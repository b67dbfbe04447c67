#include <amphibus/receiver.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct job {
  int number;
};
constexpr topic<job> jobs{"t.jobs"};

/// A bus whose time stands still, and whose handlers run when they are told to.
struct still {
  testing::manual_clock clock;
  loop here;
  bus b{{.clock = &clock, .on = here}};
  std::vector<int> seen;
  std::vector<event> events;

  still() {
    b.on_event([this](const event& what) {
      if (what.kind == event_kind::expired) events.push_back(what);
    });
  }
};

}  // namespace

TEST_CASE("deadline: what has passed it is not started, but counted and told", "[engine]") {
  still s;
  auto sub = s.b.subscribe(jobs, {.name = "late"}, [&](const job& j) { s.seen.push_back(j.number); });
  s.b.publish(jobs, {1}, {.deadline = 10ms});
  s.b.publish(jobs, {2}, {.deadline = 30ms});
  s.b.publish(jobs, {3});
  s.clock.advance(10ms);
  s.here.run_until_idle();
  CHECK(s.seen == std::vector<int>{2, 3});
  const auto counted = sub.counters();
  CHECK(counted.handled == 2);
  CHECK(counted.expired == 1);
  CHECK(counted.pending == 0);
  CHECK(s.b.drain().complete());
  REQUIRE(s.events.size() == 1);
  CHECK(s.events[0].subscription == "late");
  CHECK(s.events[0].count == 1);
}

TEST_CASE("deadline: events about it come once a second, and the rest with the end", "[engine]") {
  still s;
  auto sub = s.b.subscribe(jobs, [&](const job&) {});
  const auto expire = [&](int count) {
    for (int i = 0; i != count; ++i) s.b.publish(jobs, {i}, {.deadline = 0ms});
    s.here.run_until_idle();
  };
  expire(3);
  expire(4);
  CHECK(s.events.size() == 1);
  s.clock.advance(1s);
  expire(5);
  REQUIRE(s.events.size() == 2);
  CHECK(s.events[1].count == 9);
  expire(6);
  sub.end();
  REQUIRE(s.events.size() == 3);
  CHECK(s.events[2].count == 6);
}

TEST_CASE("deadline: the handler knows how much time is left, and hands it on", "[engine]") {
  still s;
  static constexpr topic<job> further{"t.further"};
  std::vector<base::duration> left;
  auto first = s.b.subscribe(jobs, [&](const job& j, const context& with) {
    left.push_back(with.time_left());
    s.b.publish(further, j, {.deadline = with.time_left()});
  });
  auto second = s.b.subscribe(further, [&](const job&, const context& with) { left.push_back(with.time_left()); });
  s.b.publish(jobs, {1}, {.deadline = 30ms});
  s.clock.advance(10ms);
  s.here.run_until_idle();
  s.b.publish(jobs, {2});
  s.here.run_until_idle();
  CHECK(left == std::vector<base::duration>{20ms, 20ms, base::duration::max(), base::duration::max()});
}

TEST_CASE("deadline: a batch leaves out what has expired in its middle", "[engine]") {
  still s;
  std::vector<std::size_t> sizes;
  const auto handle = [&](batch<job> all) {
    sizes.push_back(all.size());
    for (const job& each : all) s.seen.push_back(each.number);
  };
  const auto publish_some = [&] {
    for (int i = 0; i != 7; ++i) {
      i == 2 || i == 3 ? s.b.publish(jobs, {i}, {.deadline = 1ms}) : s.b.publish(jobs, {i});
    }
    s.clock.advance(1ms);
    s.here.run_until_idle();
  };
  SECTION("alone") {
    auto sub = s.b.subscribe(jobs, handle);
    publish_some();
    CHECK(sizes == std::vector<std::size_t>{2, 3});
    CHECK(sub.counters().expired == 2);
  }
  SECTION("in a group") {
    auto sub = s.b.subscribe(jobs, {.group = "g"}, handle);
    publish_some();
    CHECK(sub.counters().expired == 2);
    CHECK(sub.counters().handled == 5);
  }
  CHECK(s.seen == std::vector<int>{0, 1, 4, 5, 6});
}

TEST_CASE("deadline: a receiver passes over what has expired, and counts what it hands out", "[engine]") {
  still s;
  auto in = s.b.receiver(jobs, {.name = "in"});
  for (int i = 0; i != 4; ++i) s.b.publish(jobs, {i}, {.deadline = std::chrono::milliseconds(i % 2 == 0 ? 1 : 100)});
  s.clock.advance(1ms);
  std::vector<int> got;
  while (const auto next = in.try_next()) got.push_back((*next)->number);
  CHECK(got == std::vector<int>{1, 3});
  CHECK(in.counters().handled == 2);
  CHECK(in.counters().expired == 2);
  CHECK(in.counters().pending == 0);
}

TEST_CASE("deadline: an inline handler is called inside the publish, unless there is no time at all", "[engine]") {
  still s;
  auto sub = s.b.subscribe(jobs, {.on = inline_}, [&](const job& j) { s.seen.push_back(j.number); });
  s.b.publish(jobs, {1}, {.deadline = 1ms});
  s.b.publish(jobs, {2}, {.deadline = 0ms});
  CHECK(s.seen == std::vector<int>{1});
  CHECK(sub.counters().expired == 1);
}

TEST_CASE("deadline: the time that a publish waits for room counts", "[engine]") {
  still s;
  auto sub = s.b.subscribe(jobs, {.capacity = 1}, [&](const job& j) { s.seen.push_back(j.number); });
  s.b.publish(jobs, {1});
  std::thread waiting([&] { s.b.publish(jobs, {2}, {.deadline = 10ms}); });
  s.clock.wait_for_parked(1);
  s.clock.advance(10ms);
  s.here.run_until_idle();
  waiting.join();
  s.here.run_until_idle();
  CHECK(s.seen == std::vector<int>{1});
  CHECK(sub.counters().expired == 1);
}

TEST_CASE("deadline: every subscription judges for itself", "[engine]") {
  still s;
  loop later;
  std::vector<int> seen_later;
  auto first = s.b.subscribe(jobs, [&](const job& j) { s.seen.push_back(j.number); });
  auto second = s.b.subscribe(jobs, {.on = later}, [&](const job& j) { seen_later.push_back(j.number); });
  s.b.publish(jobs, {1}, {.deadline = 5ms});
  s.here.run_until_idle();
  s.clock.advance(5ms);
  later.run_until_idle();
  CHECK(s.seen == std::vector<int>{1});
  CHECK(seen_later.empty());
  CHECK(second.counters().expired == 1);
}
