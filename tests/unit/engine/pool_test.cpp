#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> answers{"t.answers"};

std::string own_name() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

}  // namespace

TEST_CASE("pool: handlers of one subscription never overlap and keep their order, on named threads", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  constexpr int subscriptions = 20;
  constexpr int messages = 2'000;
  struct lane {
    std::atomic<int> inside{0};
    int next = 0;
    bool good = true;
  };
  std::vector<std::unique_ptr<lane>> lanes;
  std::vector<subscription> subs;
  support::watched names;
  std::set<std::string> ran_on;
  for (int i = 0; i != subscriptions; ++i) {
    lanes.push_back(std::make_unique<lane>());
    subs.push_back(b.subscribe(numbers, {.on = workers}, [&, &self = *lanes.back()](const number& n) {
      self.good = self.good && self.inside.fetch_add(1) == 0 && n.value == self.next++;
      if (n.value == 0) names.change([&] { ran_on.insert(own_name()); });
      self.inside.fetch_sub(1);
    }));
  }
  auto out = b.publisher(numbers);
  for (int i = 0; i != messages; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
  CHECK(b.drain().complete());
  for (const auto& each : lanes) {
    CHECK(each->good);
    CHECK(each->next == messages);
  }
  for (const auto& each : ran_on) CHECK(each.substr(0, 8) == "workers-");
}

TEST_CASE("pool: a subscription that stands still holds up no other", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  support::barrier at;
  support::watched seen;
  int others = 0;
  auto stuck = b.subscribe(numbers, {.on = workers}, [&](const number&) { at.pass(); });
  auto first = b.subscribe(answers, {.on = workers}, [&](const number&) { seen.change([&] { ++others; }); });
  auto second = b.subscribe(answers, {.on = workers}, [&](const number&) { seen.change([&] { ++others; }); });
  b.publish(numbers, {1});
  at.wait_for_visitor();
  for (int i = 0; i != 100; ++i) b.publish(answers, {i});
  seen.wait([&] { return others == 200; });
  at.open();
  CHECK(b.drain().complete());
}

TEST_CASE("pool: sleeps and wakes between single messages without missing one", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  support::watched seen;
  int count = 0;
  auto sub = b.subscribe(numbers, {.on = workers}, [&](const number&) { seen.change([&] { ++count; }); });
  auto out = b.publisher(numbers);
  for (int i = 1; i <= 5'000; ++i) {
    out.publish({i});
    seen.wait([&] { return count == i; });
  }
  CHECK(b.drain().complete());
  CHECK(sub.counters().handled == 5'000);
}

TEST_CASE("pool: what a handler holds back is placed, and its deadline is kept", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  std::atomic<int> answered{0};
  std::atomic<int> undeliverable{0};
  b.on_event([&](const event& what) { undeliverable += what.kind == event_kind::undeliverable ? 1 : 0; });
  auto asking = b.subscribe(numbers, {.on = workers}, [&](const number& n) {
    for (int i = 0; i != 3; ++i) b.publish(answers, n);
  });
  auto answering = b.subscribe(answers, {.capacity = 1, .on = workers}, [&](const number&) { ++answered; });
  for (int i = 0; i != 200; ++i) b.publish(numbers, {i});
  CHECK(b.drain().complete());
  CHECK(answered == 600);
  CHECK(undeliverable == 0);
}

TEST_CASE("pool: a cycle over full inboxes ends at its deadline", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  support::watched told;
  int undeliverable = 0;
  b.on_event([&](const event& what) {
    if (what.kind == event_kind::undeliverable) told.change([&] { ++undeliverable; });
  });
  const subscription_options full{
      .capacity = 1, .overflow = overflow::block(std::chrono::milliseconds(5)), .on = workers};
  auto ping = b.subscribe(numbers, full, [&](const number& n) {
    b.publish(answers, n);
    b.publish(answers, n);
  });
  auto pong = b.subscribe(answers, full, [&](const number& n) {
    b.publish(numbers, n);
    b.publish(numbers, n);
  });
  b.publish(numbers, {1});
  told.wait([&] { return undeliverable > 0; });
  b.close(std::chrono::milliseconds(10));
}

TEST_CASE("pool: subscriptions that come and go under load end when they say so", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  std::atomic<bool> stop{false};
  std::thread publishing([&] {
    auto out = b.publisher(numbers);
    while (!stop) out.publish({1});
  });
  for (int i = 0; i != 300; ++i) {
    auto ended = std::make_shared<std::atomic<bool>>(false);
    std::atomic<int> late{0};
    {
      auto sub = b.subscribe(numbers, {.on = workers}, [&, ended](const number&) { late += *ended ? 1 : 0; });
      std::this_thread::yield();
    }
    *ended = true;
    CHECK(late == 0);
  }
  stop = true;
  publishing.join();
}

TEST_CASE("pool: the same name is the same pool; other options, threads or CPUs outside their limits are refused",
          "[engine]") {
  bus b;
  const auto code = [&](std::string_view name, const pool_options& options) {
    try {
      static_cast<void>(b.pool(name, options));
    } catch (const error& why) {
      return why.code();
    }
    return error_code{};
  };
  CHECK(code("workers", {.threads = 1}) == error_code{});
  CHECK(code("workers", {.threads = 1}) == error_code{});
  CHECK(code("workers", {.threads = 2}) == error_code::bad_option);
  CHECK(code("none", {.threads = 0}) == error_code::bad_option);
  CHECK(code("many", {.threads = 257}) == error_code::bad_option);
  CHECK(code("nowhere", {.cpus = {4095}}) == error_code::bad_option);
  CHECK(code("", {}) == error_code::bad_option);
  b.close();
  CHECK(code("late", {}) == error_code::bus_closed);
}

TEST_CASE("pool: is no serial executor of a bus, whose handlers must not overlap", "[engine]") {
  bus owner;
  CHECK_THROWS_WITH(bus({.on = owner.pool("workers", {.threads = 1})}), Catch::Contains("AMB-E0104"));
}
