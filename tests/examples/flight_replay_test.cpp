#include <amphibus/testing/test_bus.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <thread>

#include "replayer.hpp"

using namespace flight;
using namespace std::chrono_literals;

namespace {

/// A message each at these microseconds of the log, with its place as seq.
flight_log log_of(const std::vector<std::uint64_t>& log_us) {
  flight_log out;
  for (const std::uint64_t at : log_us) {
    CpuloadT message;
    message.seq = static_cast<std::uint32_t>(out.size());
    message.log_us = at;
    out.push_back({at, message});
  }
  return out;
}

std::int64_t ns(amphibus::base::time_point of) { return std::chrono::nanoseconds(of.time_since_epoch()).count(); }

}  // namespace

TEST_CASE("replayer: a second of the clock publishes that second of the log, not more", "[flight]") {
  amphibus::testing::test_bus t;
  replayer from(t.bus(), log_of({5'000'000, 5'999'999, 6'000'000, 6'000'001, 7'000'000}), speed::real, t.clock());
  const auto begin = t.clock().now();
  from.start();
  REQUIRE(from.publish_due({}));
  CHECK(t.published(cpuload).size() == 1);
  CHECK(from.next_due() == begin + 999'999us);
  t.clock().advance(1s);
  REQUIRE(from.publish_due({}));
  CHECK(t.published(cpuload).size() == 3);
  CHECK(from.next_due() == begin + 1'000'001us);
  CHECK_FALSE(from.finished());
  t.clock().advance(1s);
  REQUIRE(from.publish_due({}));
  CHECK(t.published(cpuload).size() == 5);
  CHECK(from.finished());
}

TEST_CASE("replayer: ten times as fast, and at full speed without waiting", "[flight]") {
  amphibus::testing::test_bus t;
  replayer ten(t.bus(), log_of({0, 999'999, 1'000'000, 1'000'001}), speed::ten_times, t.clock());
  ten.start();
  t.clock().advance(100ms);
  REQUIRE(ten.publish_due({}));
  CHECK(t.published(cpuload).size() == 3);
  t.forget_published();
  replayer full(t.bus(), log_of({0, 1'000'000, 86'400'000'000}), speed::full, t.clock());
  full.start();
  REQUIRE(full.publish_due({}));
  CHECK(t.published(cpuload).size() == 3);
}

TEST_CASE("replayer: a message says when it was due, also one that is late", "[flight]") {
  amphibus::testing::test_bus t;
  replayer from(t.bus(), log_of({0, 1'000'000}), speed::real, t.clock());
  const auto begin = t.clock().now();
  from.start();
  t.clock().advance(5s);
  REQUIRE(from.publish_due({}));
  const auto got = t.published(cpuload);
  REQUIRE(got.size() == 2);
  CHECK(got[0].due_ns == ns(begin));
  CHECK(got[1].due_ns == ns(begin + 1s));
}

TEST_CASE("replayer: at full speed a message is due when it is published", "[flight]") {
  amphibus::testing::test_bus t;
  replayer from(t.bus(), log_of({0, 1'000'000}), speed::full, t.clock());
  from.start();
  t.clock().advance(5s);
  REQUIRE(from.publish_due({}));
  for (const CpuloadT& each : t.published(cpuload)) CHECK(each.due_ns == ns(t.clock().now()));
}

TEST_CASE("replayer: messages are numbered by topic, and the end says how many there were", "[flight]") {
  amphibus::testing::test_bus t;
  flight_log log = log_of({0, 1});
  log.push_back({2, CommanderStateT{}});
  replayer from(t.bus(), std::move(log), speed::full, t.clock());
  CHECK(replay(from, t.clock(), {}));
  const auto loads = t.published(cpuload);
  REQUIRE(loads.size() == 3);
  CHECK((loads[0].number == 0 && loads[1].number == 1));
  CHECK((loads[2].end && loads[2].number == 2));
  CHECK(t.published(commander_state).back().number == 1);
  CHECK((t.published(vehicle_status).size() == 1 && t.published(vehicle_status)[0].end));
}

TEST_CASE("replayer: a closed bus ends it", "[flight]") {
  amphibus::testing::test_bus t;
  replayer from(t.bus(), log_of({0, 1}), speed::full, t.clock());
  from.start();
  t.bus().close(amphibus::base::duration::zero());
  CHECK_FALSE(from.publish_due({}));
  CHECK_FALSE(from.finished());
}

TEST_CASE("replay: its thread sleeps by the clock, and a stop ends it", "[flight]") {
  amphibus::testing::test_bus t;
  amphibus::testing::manual_clock time;  // its own, so that nobody else parks there
  replayer from(t.bus(), log_of({0, 600'000'000, 600'000'000, 1'200'000'000, 9'000'000'000}), speed::real, time);
  bool complete = true;
  std::jthread flying([&](const std::stop_token& stop) { complete = replay(from, time, stop); });
  const std::array<std::size_t, 3> after_each_ten_minutes{1, 3, 4};
  for (const std::size_t expected : after_each_ten_minutes) {
    time.wait_for_parked(1);
    CHECK(t.published(cpuload).size() == expected);
    time.advance(10min);
  }
  time.wait_for_parked(1);
  flying.request_stop();
  flying.join();
  CHECK_FALSE(complete);
  CHECK(t.published(cpuload).size() == 4);
}
