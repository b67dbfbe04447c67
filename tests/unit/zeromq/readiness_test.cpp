// The first and the last that peers say to each other: readiness asked again, goodbye over a full route.
#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace amphibus;
using namespace zeromq_test;

TEST_CASE("zeromq: readiness asked again holds for subscriptions made meanwhile", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  watched seen;
  std::size_t count = 0;
  std::vector<subscription> late;
  std::size_t expected = 0;
  for (std::uint64_t i = 0; i != 20; ++i) {
    late.push_back(b.bus.subscribe(numbers, [&](const number&) { seen.change([&] { ++count; }); }));
    REQUIRE_FALSE(b.wait_until_ready());
    REQUIRE(out.publish({i}) == publish_status::accepted);
    expected += late.size();
  }
  seen.wait([&] { return count >= expected; });  // what is on its way reaches later subscriptions too
}

TEST_CASE("zeromq: a full route that drops says goodbye all the same, and tells of its lost tail", "[zeromq]") {
  const auto file = file_of(2, config::overflow::drop_newest);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched gate;
  bool open = false;
  std::uint64_t handled = 0;
  auto slow = b.bus.subscribe(numbers, {.capacity = 16}, [&](const number&) {
    gate.wait([&] { return open; });
    gate.change([&] { ++handled; });
  });
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  // Far more than libzmq holds between the two, so that the goodbye finds no room either.
  constexpr std::uint64_t count = 3'000'000;
  for (std::uint64_t i = 0; i != count; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
  REQUIRE(a.bus.drain(std::chrono::seconds(30)).complete());
  close_report report;
  std::thread closing([&] { report = a.bus.close(std::chrono::seconds(30)); });
  gate.change([&] { open = true; });
  closing.join();
  CHECK(to_string(report) == "complete");
  CHECK(b.bus.drain(std::chrono::seconds(30)).complete());
  CHECK(handled + b.sum_of(event_kind::gap) == count);
}

TEST_CASE("zeromq: what is published between two subscriptions of a process is no loss to the second", "[zeromq]") {
  const auto file = file_of(3);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  placed_bus c(file, "c");
  watched seen;
  std::uint64_t at_b = 0;
  std::uint64_t at_c = 0;
  std::uint64_t lost = 0;
  auto steady = c.bus.subscribe(numbers, [&](const number& n) { seen.change([&] { at_c = n.value; }); });
  auto first = b.bus.subscribe(numbers, [&](const number& n) { seen.change([&] { at_b = n.value; }); });
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b, &c});
  out.publish({1});
  seen.wait([&] { return at_b == 1; });
  first.end();
  REQUIRE_FALSE(b.wait_until_ready());  // the end is known to everybody
  for (std::uint64_t i = 2; i <= 100; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
  seen.wait([&] { return at_c == 100; });
  auto second = b.bus.subscribe(numbers, [&](const number& n, const context& with) {
    seen.change([&] {
      at_b = n.value;
      lost += with.lost_before();
    });
  });
  REQUIRE_FALSE(b.wait_until_ready());
  out.publish({101});
  seen.wait([&] { return at_b == 101; });
  CHECK(lost == 0);
  CHECK(b.count_of(event_kind::gap) == 0);
}

TEST_CASE("zeromq: more subscriptions than a pipe holds batches are all there when it is ready", "[zeromq]") {
  constexpr std::size_t topics = 2'000;
  const auto file = file_of(2);
  placed_bus a(file, "a", {.pipe_max_bytes = std::size_t{256} << 10U});
  placed_bus b(file, "b", {.pipe_max_bytes = std::size_t{256} << 10U});
  watched seen;
  std::size_t count = 0;
  std::vector<topic<number>> all;
  std::vector<subscription> kept;
  for (std::size_t i = 0; i != topics; ++i) {
    const std::string name = "test.many." + std::to_string(i);
    kept.push_back(
        b.bus.subscribe(b.bus.make_topic<number>(name).value(), [&](const number&) { seen.change([&] { ++count; }); }));
    all.push_back(a.bus.make_topic<number>(name).value());
  }
  make_ready({&a, &b});
  for (const auto& each : all) REQUIRE(a.bus.publish(each, {1}) == publish_status::accepted);
  seen.wait([&] { return count == topics; });
}
