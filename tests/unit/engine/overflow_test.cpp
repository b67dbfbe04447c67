#include <amphibus/bus.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};

}  // namespace

TEST_CASE("overflow: a full inbox refuses try_publish for everybody, and repeating is safe", "[engine]") {
  bus b;
  loop here;
  std::vector<int> at_small;
  std::vector<int> at_large;
  auto small = b.subscribe(numbers, {.capacity = 2, .on = here}, [&](const number& n) { at_small.push_back(n.value); });
  auto large =
      b.subscribe(numbers, {.capacity = 100, .on = here}, [&](const number& n) { at_large.push_back(n.value); });
  auto out = b.publisher(numbers);
  CHECK(out.try_publish({1}) == publish_status::accepted);
  CHECK(out.try_publish({2}) == publish_status::accepted);
  CHECK(out.try_publish({3}) == publish_status::would_block);
  here.run_until_idle();
  CHECK(out.try_publish({3}) == publish_status::accepted);
  here.run_until_idle();
  CHECK(at_small == std::vector<int>{1, 2, 3});
  CHECK(at_large == at_small);
  CHECK(b.counters(numbers).refused == 1);
}

TEST_CASE("overflow: drop_newest passes by, counts, tells, and the next context says how many", "[engine]") {
  bus b;
  loop here;
  std::uint64_t told = 0;
  b.on_event([&](const event& what) { told += what.kind == event_kind::dropped ? what.count : 0; });
  std::vector<std::pair<int, std::uint64_t>> seen;
  auto sub = b.subscribe(numbers, {.capacity = 2, .overflow = overflow::drop_newest(), .on = here},
                         [&](const number& n, const context& with) { seen.emplace_back(n.value, with.lost_before()); });
  auto out = b.publisher(numbers);
  for (int i = 1; i <= 5; ++i) CHECK(out.publish({i}) == publish_status::accepted);
  here.run_until_idle();
  out.publish({6});
  here.run_until_idle();
  CHECK(seen == std::vector<std::pair<int, std::uint64_t>>{{1, 0}, {2, 0}, {6, 3}});
  CHECK(sub.counters().dropped == 3);
  CHECK(told == 3);
}

TEST_CASE("overflow: a dropping subscription does not hold up one that blocks, nor the other way round", "[engine]") {
  bus b;
  loop here;
  int dropped_at = 0;
  int kept_at = 0;
  auto dropping = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::drop_newest(), .on = here},
                              [&](const number&) { ++dropped_at; });
  auto blocking = b.subscribe(numbers, {.capacity = 10, .on = here}, [&](const number&) { ++kept_at; });
  auto out = b.publisher(numbers);
  for (int i = 0; i != 10; ++i) CHECK(out.try_publish({i}) == publish_status::accepted);
  CHECK(out.try_publish({10}) == publish_status::would_block);
  here.run_until_idle();
  CHECK(dropped_at == 1);
  CHECK(kept_at == 10);
  CHECK(dropping.counters().dropped == 9);
}

TEST_CASE("overflow: block waits until its timeout, by the bus's clock, then refuses", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  loop here;
  auto sub = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::block(3s), .on = here}, [](const number&) {});
  b.publish(numbers, {1});
  publish_status answer{};
  std::thread waiting([&] { answer = b.publish(numbers, {2}); });
  time.wait_for_parked(1);
  time.advance(2999ms);
  time.wait_for_parked(1);
  time.advance(1ms);
  waiting.join();
  CHECK(answer == publish_status::would_block);
}

TEST_CASE("overflow: wait_max caps the subscription's timeout, 0 never waits", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::block(1h), .on = here}, [](const number&) {});
  auto never = b.publisher(numbers, {.wait_max = 0ms});
  auto briefly = b.publisher(numbers, {.wait_max = 1ms});
  CHECK(never.publish({1}) == publish_status::accepted);
  CHECK(never.publish({2}) == publish_status::would_block);
  CHECK(briefly.publish({2}) == publish_status::would_block);
}

TEST_CASE("overflow: a blocked publisher goes on when the handler made room", "[engine]") {
  for (const std::size_t capacity : {1U, 2U, 16U}) {
    bus b;
    std::uint64_t handled = 0;
    auto sub = b.subscribe(numbers, {.capacity = capacity}, [&](const number&) { ++handled; });
    auto out = b.publisher(numbers);
    for (int i = 0; i != 2'000; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
    CHECK(b.drain().complete());
    CHECK(handled == 2'000);
  }
}

TEST_CASE("overflow: two publishers over two small inboxes never hold each other's last place", "[engine]") {
  for (const std::size_t capacity : {1U, 2U, 16U}) {
    bus b;
    std::uint64_t one = 0;
    std::uint64_t two = 0;
    auto first = b.subscribe(numbers, {.capacity = capacity, .on = dedicated}, [&](const number&) { ++one; });
    auto second = b.subscribe(numbers, {.capacity = capacity, .on = dedicated}, [&](const number&) { ++two; });
    std::vector<std::thread> threads;
    for (int t = 0; t != 2; ++t) {
      threads.emplace_back([&] {
        auto out = b.publisher(numbers);
        for (int i = 0; i != 2'000; ++i) {
          if (out.publish({i}) != publish_status::accepted) std::abort();
        }
      });
    }
    for (auto& each : threads) each.join();
    CHECK(b.drain().complete());
    CHECK(one == 4'000);
    CHECK(two == 4'000);
  }
}

TEST_CASE("overflow: the capacity is never exceeded and comes back whole", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(numbers, {.capacity = 100, .on = here}, [](const number&) {});
  for (int round = 0; round != 3; ++round) {
    int accepted = 0;
    auto out = b.publisher(numbers);
    while (out.try_publish({accepted}) == publish_status::accepted) ++accepted;
    CHECK(accepted == 100);
    CHECK(sub.counters().pending == 100);
    here.run_until_idle();
  }
}

TEST_CASE("overflow: a refused publisher gets what idle publishers hoard", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(numbers, {.capacity = 64, .on = here}, [](const number&) {});
  std::vector<publisher<number>> idle;
  for (int i = 0; i != 7; ++i) {
    idle.push_back(b.publisher(numbers));
    CHECK(idle.back().try_publish({i}) == publish_status::accepted);
  }
  auto out = b.publisher(numbers);
  int accepted = 0;
  while (out.try_publish({accepted}) == publish_status::accepted) ++accepted;
  CHECK(accepted == 64 - 7);
}

TEST_CASE("overflow: a publish that first reclaimed idle credit still waits its whole time", "[engine]") {
  for (int round = 0; round != 20; ++round) {
    bus b;
    std::atomic<int> refused{0};
    auto sub = b.subscribe(numbers, {.capacity = 64, .overflow = overflow::block(1h)}, [](const number&) {});
    std::vector<std::thread> threads;
    for (int t = 0; t != 4; ++t) {
      threads.emplace_back([&] {
        auto out = b.publisher(numbers);
        for (int i = 0; i != 2'000; ++i) refused += out.publish({i}) == publish_status::accepted ? 0 : 1;
      });
    }
    for (auto& each : threads) each.join();
    CHECK(refused == 0);
  }
}
