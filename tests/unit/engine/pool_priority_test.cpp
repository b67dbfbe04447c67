#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

constexpr topic<int> stops{"p.stops"};
constexpr topic<int> urgent{"p.urgent"};
constexpr topic<int> usual{"p.usual"};

/// A pool of one thread that stands still until open(), so that everything else is ready by then.
struct stopped_pool {
  explicit stopped_pool(const pool_options& options)
      : workers(on.pool("workers", options)),
        standing(on.subscribe(stops, {.on = workers}, [this](const int&) { gate.pass(); })) {
    on.publish(stops, 0);
    gate.wait_for_visitor();
  }
  support::barrier gate;
  bus on;
  pool workers;
  subscription standing;
};

/// How often threads of this process whose name begins so have gone to sleep.
long sleeps_of(const std::string& name) {
  long sum = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string line;
    std::ifstream named(each.path() / "comm");
    std::getline(named, line);
    if (!line.starts_with(name)) continue;
    std::ifstream status(each.path() / "status");
    while (std::getline(status, line)) {
      const std::string key = "voluntary_ctxt_switches:";
      if (line.starts_with(key)) sum += std::stol(line.substr(key.size()));
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("pool: the higher priority has its turn first, and the lower one after its bound", "[engine]") {
  stopped_pool p({.threads = 1, .priorities = 2, .passed_over_max = 4});
  std::string order;
  std::vector<subscription> subs;
  for (int i = 0; i != 3; ++i)
    subs.push_back(p.on.subscribe(usual, {.on = p.workers}, [&](const int&) { order += 'l'; }));
  for (int i = 0; i != 10; ++i) {
    subs.push_back(p.on.subscribe(urgent, {.on = p.workers, .priority = 1}, [&](const int&) { order += 'H'; }));
  }
  p.on.publish(usual, 1);
  p.on.publish(urgent, 1);
  p.gate.open();
  CHECK(p.on.drain().complete());
  CHECK(order == "HHHHlHHHHlHHl");
}

TEST_CASE("pool: several priorities that wait all have their turn", "[engine]") {
  stopped_pool p({.threads = 1, .priorities = 3, .passed_over_max = 3});
  std::string order;
  std::vector<subscription> subs;
  for (std::size_t priority = 0; priority != 3; ++priority) {
    for (int i = 0; i != 6; ++i) {
      subs.push_back(p.on.subscribe(usual, {.on = p.workers, .priority = priority},
                                    [&order, priority](const int&) { order += static_cast<char>('0' + priority); }));
    }
  }
  p.on.publish(usual, 1);
  p.gate.open();
  CHECK(p.on.drain().complete());
  REQUIRE(order.size() == 18);
  CHECK(order.substr(0, 5) == "22201");  // three of the highest, then both that waited so long
  CHECK(order.substr(5, 3) == "220");    // the lowest was passed over by both
}

TEST_CASE("pool: endless urgent work does not starve the rest", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 1, .priorities = 2});
  std::atomic<bool> over{false};
  std::atomic<long> turns{0};
  std::vector<subscription> busy;
  for (int i = 0; i != 4; ++i) {
    busy.push_back(b.subscribe(urgent, {.on = workers, .priority = 1}, [&](const int& n) {
      ++turns;
      if (!over) static_cast<void>(b.try_publish(urgent, n + 1));
    }));
  }
  support::watched seen;
  int count = 0;
  auto low = b.subscribe(usual, {.on = workers}, [&](const int&) { seen.change([&] { ++count; }); });
  b.publish(urgent, 0);
  for (int i = 0; i != 50; ++i) {
    b.publish(usual, i);
    seen.wait([&] { return count == i + 1; });
  }
  over = true;
  CHECK(turns.load() > 0);
}

TEST_CASE("pool: priorities work for groups and lanes as well", "[engine]") {
  stopped_pool p({.threads = 1, .priorities = 2});
  std::string order;
  auto low = p.on.subscribe(usual, {.on = p.workers, .group = "low"}, [&](const int&) { order += 'l'; });
  auto high =
      p.on.subscribe(urgent, {.on = p.workers, .group = "high", .priority = 1}, [&](const int&) { order += 'H'; });
  for (int i = 0; i != 3; ++i) p.on.publish(usual, i);
  for (int i = 0; i != 3; ++i) p.on.publish(urgent, i);
  p.gate.open();
  CHECK(p.on.drain().complete());
  CHECK(order == "HHHlll");
}

TEST_CASE("pool: priorities that an executor does not have are refused", "[engine]") {
  bus b;
  auto plain = b.pool("plain");
  auto three = b.pool("three", {.priorities = 3});
  loop here;
  const auto why = [&](const subscription_options& with) {
    const auto made = b.try_subscribe(usual, with, [](const int&) {});
    return made.has_value() ? std::string() : std::string(made.error().what());
  };
  CHECK(why({.on = three, .priority = 2}).empty());
  CHECK_THAT(why({.on = three, .priority = 3}), Catch::Contains("AMB-E0104") && Catch::Contains("0 to 2"));
  CHECK_THAT(why({.on = plain, .priority = 1}), Catch::Contains("no priorities"));
  CHECK_THAT(why({.on = serial, .priority = 1}), Catch::Contains("no priorities"));
  CHECK_THAT(why({.on = inline_, .priority = 1}), Catch::Contains("no priorities"));
  CHECK_THROWS_WITH(b.pool("none", {.priorities = 0}), Catch::Contains(".priorities is 0"));
  CHECK_THROWS_WITH(b.pool("many", {.priorities = 17}), Catch::Contains("1 to 16"));
  CHECK_THROWS_WITH(b.pool("never", {.passed_over_max = 0}), Catch::Contains(".passed_over_max is 0"));
  CHECK_THROWS_WITH(b.pool("three", {.priorities = 2}), Catch::Contains("other options"));
}

TEST_CASE("pool: one busy subscription keeps one thread awake, not all", "[engine]") {
  bus b;
  auto workers = b.pool("one-need", {.threads = 8});
  std::atomic<int> handled{0};
  auto sub = b.subscribe(usual, {.on = workers}, [&](const int& n) {
    ++handled;
    if (n != 0) b.publish(usual, n - 1);
  });
  b.publish(usual, 100'000);
  while (handled < 1'000) std::this_thread::yield();
  const long before = sleeps_of("one-need");
  while (handled < 90'000) std::this_thread::yield();
  const long slept = sleeps_of("one-need") - before;
  CHECK(slept < 1'000);  // of 89,000 messages that came one by one, each handled on a turn of its own
  CHECK(b.drain().complete());
}
