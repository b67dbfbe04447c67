#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct job {
  int number;
};
constexpr topic<job> jobs{"t.jobs"};
constexpr topic<job> done{"t.done"};

/// How often each message was handled, by whoever.
class tally {
 public:
  explicit tally(int count) : times_(static_cast<std::size_t>(count)) {}
  void add(int number) { times_[static_cast<std::size_t>(number)].fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] bool each_once() const {
    return std::all_of(times_.begin(), times_.end(), [](const auto& each) { return each == 1; });
  }

 private:
  std::vector<std::atomic<int>> times_;
};

}  // namespace

TEST_CASE("group: each message goes to exactly one member, and other groups and subscriptions get it too", "[engine]") {
  constexpr int count = 10'000;
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  tally of_packers(count);
  tally of_printers(count);
  tally of_all(count);
  std::vector<subscription> subs;
  for (int i = 0; i != 3; ++i) {
    subs.push_back(
        b.subscribe(jobs, {.on = workers, .group = "packers"}, [&](const job& j) { of_packers.add(j.number); }));
    subs.push_back(
        b.subscribe(jobs, {.on = workers, .group = "printers"}, [&](const job& j) { of_printers.add(j.number); }));
  }
  subs.push_back(b.subscribe(jobs, [&](const job& j) { of_all.add(j.number); }));
  auto out = b.publisher(jobs);
  for (int i = 0; i != count; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
  CHECK(b.drain().complete());
  CHECK(of_packers.each_once());
  CHECK(of_printers.each_once());
  CHECK(of_all.each_once());
}

TEST_CASE("group: members may run anywhere: serial, dedicated, a pool and a loop", "[engine]") {
  constexpr int count = 1'000;
  bus b;
  loop here;
  auto workers = b.pool("workers", {.threads = 2});
  tally seen(count);
  const auto handle = [&](const job& j) { seen.add(j.number); };
  auto first = b.subscribe(jobs, {.group = "g"}, handle);
  auto second = b.subscribe(jobs, {.on = dedicated, .group = "g"}, handle);
  auto third = b.subscribe(jobs, {.on = workers, .group = "g"}, handle);
  auto fourth = b.subscribe(jobs, {.on = here, .group = "g"}, handle);
  auto out = b.publisher(jobs);
  for (int i = 0; i != count; ++i) out.publish({i});
  here.run_until_idle();
  CHECK(b.drain().complete());
  CHECK(seen.each_once());
}

TEST_CASE("group: nothing waits behind a member that stands still", "[engine]") {
  bus b;
  support::barrier at;
  support::watched seen;
  int others = 0;
  const auto stuck_or_not = [&](const job& j) {
    if (j.number == 0) return at.pass();
    seen.change([&] { ++others; });
  };
  auto first = b.subscribe(jobs, {.on = dedicated, .group = "g"}, stuck_or_not);
  auto second = b.subscribe(jobs, {.on = dedicated, .group = "g"}, stuck_or_not);
  std::vector<job> many;
  for (int i = 0; i != 500; ++i) many.push_back({i});  // a whole run at once: more than one hand takes
  b.publisher(jobs).publish_batch(many);
  at.wait_for_visitor();
  seen.wait([&] { return others == 499; });
  at.open();
  CHECK(b.drain().complete());
}

TEST_CASE("group: nothing waits for a member that nobody runs", "[engine]") {
  bus b;
  loop nobody_runs;
  auto workers = b.pool("workers", {.threads = 2});
  support::watched seen;
  int count = 0;
  const auto handle = [&](const job&) { seen.change([&] { ++count; }); };
  auto first = b.subscribe(jobs, {.on = nobody_runs, .group = "g"}, handle);
  auto second = b.subscribe(jobs, {.on = workers, .group = "g"}, handle);
  nobody_runs.run_until_idle();  // it has looked, and rests like the other
  for (int i = 1; i <= 100; ++i) {
    b.publish(jobs, {i});
    seen.wait([&] { return count == i; });
  }
}

TEST_CASE("group: a hand that holds something back leaves what it cannot take to the other", "[engine]") {
  bus b;
  loop slow;
  support::watched seen;
  int others = 0;
  auto answering = b.subscribe(done, {.capacity = 1, .on = slow}, [](const job&) {});
  auto asking = b.subscribe(jobs, {.on = dedicated, .concurrency = 2}, [&](const job& j) {
    if (j.number == 0) {
      for (int i = 0; i != 3; ++i) b.publish(done, j);
    } else {
      seen.change([&] { ++others; });
    }
  });
  b.publish(jobs, {0});
  while (asking.counters().handled != 1) std::this_thread::yield();
  for (int i = 1; i <= 50; ++i) {
    b.publish(jobs, {i});
    seen.wait([&] { return others == i; });
  }
  while (asking.counters().pending != 0) slow.run_once();
  slow.run_until_idle();
  CHECK(b.drain().complete());
}

TEST_CASE("group: what lanes hold back is placed after the last member has left", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  loop slow;
  std::atomic<int> answered{0};
  auto answering = b.subscribe(done, {.capacity = 1, .on = slow}, [&](const job&) { ++answered; });
  constexpr int keys = 4;  // of different lanes
  {
    auto asking = b.subscribe(jobs, {.on = workers, .group = "g", .concurrency = 2}, [&](const job& j) {
      for (int i = 0; i != 3; ++i) b.publish(done, j);
    });
    for (int i = 0; i != keys; ++i) b.publish(jobs, {i}, {.key = "key-" + std::to_string(i)});
    while (asking.counters().handled != keys) std::this_thread::yield();
  }
  while (answered != 3 * keys) slow.run_once();
  CHECK(b.drain().complete());
}

TEST_CASE("group: what is refused leaves nothing behind", "[engine]") {
  auto alive = std::make_shared<int>(1);
  const auto handle = [alive](const job&) {};
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  auto first = b.subscribe(jobs, {.on = workers, .group = "g"}, [](const job&) {});
  CHECK_FALSE(b.try_subscribe(jobs, {.capacity = 3, .on = dedicated, .group = "g"}, handle));
  CHECK(alive.use_count() == 2);
  b.close();
  CHECK_FALSE(b.try_subscribe(jobs, {.on = workers, .concurrency = 2}, handle));
  CHECK_FALSE(b.try_subscribe(jobs, {.on = dedicated, .group = "h", .concurrency = 3}, handle));
  CHECK_FALSE(b.try_subscribe(jobs, {.on = dedicated}, handle));
  CHECK(alive.use_count() == 2);
}

TEST_CASE("group: members join and leave under load without loss or duplicate", "[engine]") {
  constexpr int count = 100'000;
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  tally seen(count);
  const auto handle = [&](const job& j) { seen.add(j.number); };
  auto stays = b.subscribe(jobs, {.on = workers, .group = "g"}, handle);
  std::atomic<bool> over{false};
  std::thread changing([&] {
    std::mt19937 random(7);
    std::vector<subscription> members;
    while (!over) {
      if (members.size() < 4 && random() % 2 == 0) {
        members.push_back(b.subscribe(jobs, {.on = workers, .group = "g"}, handle));
      } else if (!members.empty()) {
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(random() % members.size()));
      }
    }
  });
  auto out = b.publisher(jobs);
  for (int i = 0; i != count; ++i) out.publish({i});
  CHECK(b.drain().complete());
  over = true;
  changing.join();
  CHECK(seen.each_once());
}

TEST_CASE("group: the last member leaves, and what waits counts as unsubscribed; a new group begins empty",
          "[engine]") {
  bus b;
  loop nobody_runs;
  std::atomic<int> handled{0};
  {
    auto only = b.subscribe(jobs, {.on = nobody_runs, .group = "g"}, [&](const job&) { ++handled; });
    for (int i = 0; i != 10; ++i) b.publish(jobs, {i});
    CHECK(only.counters().pending == 10);
    only.end();
  }
  CHECK(b.publish(jobs, {11}) == publish_status::no_subscribers);
  auto next = b.subscribe(jobs, {.group = "g"}, [&](const job&) { ++handled; });
  b.publish(jobs, {12});
  CHECK(b.drain().complete());
  CHECK(handled == 1);
}

TEST_CASE("group: a member that ends itself in its handler leaves the rest to the others", "[engine]") {
  bus b;
  support::watched seen;
  int by_others = 0;
  std::optional<subscription> leaving;
  std::atomic<int> by_leaving{0};
  leaving = b.subscribe(jobs, {.on = dedicated, .group = "g"}, [&](const job&) {
    ++by_leaving;
    leaving->end();
  });
  auto out = b.publisher(jobs);
  for (int i = 0; i != 100; ++i) out.publish({i});
  auto other =
      b.subscribe(jobs, {.on = dedicated, .group = "g"}, [&](const job&) { seen.change([&] { ++by_others; }); });
  for (int i = 0; i != 100; ++i) out.publish({i});
  CHECK(b.drain().complete());
  CHECK(by_leaving <= 1);
  CHECK(by_others <= 200);
}

TEST_CASE("group: the callable of a member is destroyed when its end returns", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  auto other = b.subscribe(jobs, {.on = workers, .group = "g", .concurrency = 2}, [](const job&) {});
  auto alive = std::make_shared<int>(1);
  auto out = b.publisher(jobs);
  for (int round = 0; round != 200; ++round) {
    auto member = b.subscribe(jobs, {.on = workers, .group = "g", .concurrency = 2}, [alive](const job&) {});
    for (int i = 0; i != 20; ++i) out.publish({i});
    member.end();
    REQUIRE(alive.use_count() == 1);
  }
}

TEST_CASE("group: members must ask for the same bounds", "[engine]") {
  bus b;
  auto workers = b.pool("workers");
  auto first = b.subscribe(jobs, {.capacity = 10, .on = workers, .group = "g"}, [](const job&) {});
  const auto join = [&](subscription_options options) {
    options.on = workers;
    options.group = "g";
    const auto answer = b.try_subscribe(jobs, options, [](const job&) {});
    return answer ? std::string("joined") : answer.error().text();
  };
  CHECK(join({.capacity = 10}) == "joined");
  CHECK(join({.capacity = 11}) == "group 'g' exists with .capacity 10, and a member asks for 11");
  CHECK(join({.capacity = 10, .concurrency = 2}) == "group 'g' exists with .concurrency 1, and a member asks for 2");
  CHECK(join({.capacity = 10, .overflow = overflow::fail()}) ==
        "group 'g' exists with .overflow block(5000000000 ns), and a member asks for fail()");
  CHECK(join({.capacity = 10, .capacity_bytes = 1'000}) ==
        "group 'g' exists with .capacity_bytes 67108864, and a member asks for 1000");
}

TEST_CASE("group: what cannot share an inbox is refused by name", "[engine]") {
  bus b;
  const auto refused = [&](const subscription_options& options) {
    const auto answer = b.try_subscribe(jobs, options, [](const job&) {});
    return answer ? std::string("subscribed") : answer.error().text();
  };
  CHECK(refused({.on = inline_, .group = "g"}).find("inline_") != std::string::npos);
  CHECK(refused({.overflow = overflow::latest(), .group = "g"}).find(".overflow") != std::string::npos);
  CHECK(refused({.overflow = overflow::drop_oldest(), .group = "g"}).find(".overflow") != std::string::npos);
  CHECK(refused({.concurrency = 0}).find("allowed are 1 to 256") != std::string::npos);
  CHECK(refused({.concurrency = 257}).find("allowed are 1 to 256") != std::string::npos);
  CHECK(refused({.concurrency = 2}).find("one handler at a time") != std::string::npos);
  const std::string long_name(201, 'g');
  CHECK(refused({.group = long_name}).find("allowed are 200") != std::string::npos);
}

TEST_CASE("group: what members hold back is placed, also when the last one has left", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  loop slow;
  std::atomic<int> answered{0};
  auto answering = b.subscribe(done, {.capacity = 1, .on = slow}, [&](const job&) { ++answered; });
  {
    auto asking = b.subscribe(jobs, {.on = workers, .group = "g"}, [&](const job& j) {
      for (int i = 0; i != 3; ++i) b.publish(done, j);
    });
    b.publish(jobs, {1});
    while (asking.counters().handled == 0) std::this_thread::yield();
  }
  while (answered != 3) slow.run_once();
  CHECK(b.drain().complete());
}

TEST_CASE("group: full, it holds up its publisher, and capacity counts what is in hand", "[engine]") {
  bus b;
  support::barrier at;
  auto member = b.subscribe(jobs, {.capacity = 4, .on = dedicated, .group = "g"}, [&](const job&) { at.pass(); });
  auto out = b.publisher(jobs, {.wait_max = std::chrono::milliseconds(0)});
  out.publish({0});
  at.wait_for_visitor();
  for (int i = 1; i != 4; ++i) CHECK(out.publish({i}) == publish_status::accepted);
  CHECK(out.publish({4}) == publish_status::would_block);
  at.open();
  CHECK(b.drain().complete());
  CHECK(member.counters().handled == 4);
}

TEST_CASE("group: one of a pattern takes messages of many topics", "[engine]") {
  constexpr int count = 1'000;
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  tally seen(count);
  const auto handle = [&](const job& j) { seen.add(j.number); };
  constexpr pattern<job> all{"t.>"};
  auto first = b.subscribe(all, {.on = workers, .group = "g"}, handle);
  auto second = b.subscribe(all, {.on = workers, .group = "g"}, handle);
  for (int i = 0; i != count; ++i) b.publish(i % 2 == 0 ? jobs : done, {i});
  CHECK(b.drain().complete());
  CHECK(seen.each_once());
}

TEST_CASE("group: members that take batches, and messages that own memory", "[engine]") {
  struct letter {
    int number;
    std::string text;
  };
  static constexpr topic<letter> letters{"t.letters"};
  constexpr int count = 2'000;
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  tally seen(count);
  const auto handle = [&](batch<letter> many) {
    for (const letter& each : many) {
      if (each.text == std::string(100, 'x')) seen.add(each.number);
    }
  };
  auto first = b.subscribe(letters, {.on = workers, .group = "g"}, handle);
  auto second = b.subscribe(letters, {.on = workers, .group = "g"}, handle);
  auto out = b.publisher(letters);
  for (int i = 0; i != count; ++i) out.publish({i, std::string(100, 'x')});
  CHECK(b.drain().complete());
  CHECK(seen.each_once());
}

TEST_CASE("group: one that skips topics tells it where groups may be joined", "[engine]") {
  constexpr topic<int> of_another_type{"t.other"};
  bus b;
  auto known = b.subscribe(of_another_type, [](const int&) {});
  std::vector<subscription> joined;
  b.on_event([&](const event& what) {
    if (what.kind != event_kind::topic_skipped || !joined.empty()) return;
    std::thread([&] { joined.push_back(b.subscribe(jobs, {.group = "inside"}, [](const job&) {})); }).join();
  });
  auto group = b.subscribe(pattern<job>{"t.*"}, {.group = "outside"}, [](const job&) {});
  CHECK(joined.size() == 1);
}
