#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "support/watched.hpp"

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct number {
  int value;
};
constexpr topic<number> first{"t.first"};
constexpr topic<number> second{"t.second"};
constexpr topic<number> third{"t.third"};

}  // namespace

TEST_CASE("drain: waits for cascades over several threads", "[engine]") {
  for (int round = 0; round != 200; ++round) {
    bus b;
    std::atomic<int> ends{0};
    auto one = b.subscribe(first, {.on = dedicated}, [&](const number& n) { b.publish(second, n); });
    auto two = b.subscribe(second, {.on = dedicated}, [&](const number& n) { b.publish(third, n); });
    auto three = b.subscribe(third, [&](const number&) { ++ends; });
    for (int i = 0; i != 20; ++i) b.publish(first, {i});
    REQUIRE(b.drain().complete());
    REQUIRE(ends == 20);
  }
}

TEST_CASE("drain: at its deadline it names what is left", "[engine]") {
  bus b;
  support::barrier at;
  auto sub = b.subscribe(first, {.name = "stuck"}, [&](const number&) { at.pass(); });
  b.publish(first, {1});
  b.publish(first, {2});
  at.wait_for_visitor();
  const auto report = b.drain(1ms);
  CHECK(report.status == drain_status::deadline);
  REQUIRE(report.left.size() == 1);
  CHECK(report.left[0].count == 2);
  CHECK(to_string(report) == "deadline: stuck on t.first has 2");
  at.open();
  CHECK(b.drain().complete());
}

TEST_CASE("drain and close: inside a handler they refuse", "[engine]") {
  bus b;
  drain_status drained{};
  drain_status closed{};
  auto sub = b.subscribe(first, [&](const number&) {
    drained = b.drain().status;
    closed = b.close().status;
  });
  b.publish(first, {1});
  CHECK(b.drain().complete());
  CHECK(drained == drain_status::called_from_handler);
  CHECK(closed == drain_status::called_from_handler);
}

TEST_CASE("close: a handler may drain, close and destroy another bus", "[engine]") {
  bus outer;
  auto inner = std::make_unique<bus>();
  std::atomic<int> handled{0};
  auto inner_sub = inner->subscribe(first, [&](const number&) { ++handled; });
  auto out = inner->publisher(first);
  out.publish({1});
  bool drained = false;
  auto sub = outer.subscribe(first, [&](const number&) {
    drained = inner->drain().complete();
    inner.reset();
  });
  outer.publish(first, {1});
  CHECK(outer.drain().complete());
  CHECK(drained);
  CHECK(handled == 1);
  CHECK(out.publish({2}) == publish_status::closed);
}

TEST_CASE("close: outsiders are refused while handlers may still publish", "[engine]") {
  bus b;
  support::barrier at;
  std::atomic<int> ends{0};
  auto one = b.subscribe(first, [&](const number& n) {
    at.pass();
    b.publish(second, n);
  });
  auto two = b.subscribe(second, {.on = dedicated}, [&](const number&) { ++ends; });
  auto out = b.publisher(first);
  out.publish({1});
  at.wait_for_visitor();
  close_report report;
  std::thread closing([&] { report = b.close(); });
  while (out.publish({2}) != publish_status::closed) std::this_thread::yield();
  at.open();
  closing.join();
  CHECK(report.complete());
  CHECK(ends >= 1);
  CHECK(out.publish({3}) == publish_status::closed);
  CHECK(b.close().complete());
}

TEST_CASE("close: a blocked publisher is told closed", "[engine]") {
  bus b;
  support::barrier at;
  auto sub = b.subscribe(first, {.capacity = 1, .overflow = overflow::block(1h)}, [&](const number&) { at.pass(); });
  b.publish(first, {1});
  at.wait_for_visitor();
  std::atomic<bool> trying{false};
  publish_status answer{};
  std::thread blocked([&] {
    trying = true;
    answer = b.publish(first, {2});
  });
  while (!trying) std::this_thread::yield();
  std::thread closing([&] { b.close(10s); });
  blocked.join();
  CHECK(answer == publish_status::closed);
  at.open();
  closing.join();
}

TEST_CASE("close: at its deadline it ends everything and reports what was left", "[engine]") {
  bus b;
  loop never_run;
  auto sub = b.subscribe(first, {.name = "idle", .on = never_run}, [](const number&) {});
  b.publish(first, {1});
  const auto report = b.close(1ms);
  CHECK(report.status == drain_status::deadline);
  REQUIRE(report.left.size() == 1);
  CHECK(report.left[0].subscription == "idle");
  CHECK_THROWS_WITH(b.subscribe(first, [](const number&) {}), Catch::Contains("AMB-E0105"));
}

TEST_CASE("close: several threads may close at once while others publish", "[engine]") {
  for (int round = 0; round != 20; ++round) {
    bus b;
    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::uint64_t> accepted{0};
    auto sub = b.subscribe(first, {.capacity = 64}, [&](const number&) { ++handled; });
    std::vector<std::thread> threads;
    for (int t = 0; t != 2; ++t) {
      threads.emplace_back([&] {
        auto out = b.publisher(first);
        while (out.publish({1}) == publish_status::accepted) ++accepted;
      });
    }
    while (accepted < 100) std::this_thread::yield();
    for (int t = 0; t != 2; ++t) threads.emplace_back([&] { b.close(); });
    for (auto& each : threads) each.join();
    CHECK(handled == accepted);
  }
}

TEST_CASE("drain and close: a deadline below zero has passed", "[engine]") {
  bus b;
  support::barrier at;
  auto sub = b.subscribe(first, [&](const number&) { at.pass(); });
  b.publish(first, {1});
  at.wait_for_visitor();
  CHECK(b.drain(-1s).status == drain_status::deadline);
  CHECK(b.drain(std::chrono::nanoseconds::min()).status == drain_status::deadline);
  at.open();
  CHECK(b.drain().complete());
  CHECK(b.close(-1s).complete());
}
