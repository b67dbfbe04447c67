#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct order {
  int customer;
  int number;
};
constexpr topic<order> orders{"t.orders"};
constexpr topic<order> invoices{"t.invoices"};

std::string key_of(int customer) { return "customer-" + std::to_string(customer); }

/// Watches one key: nobody else may be inside, and numbers come in order.
struct key_watch {
  std::atomic<int> inside{0};
  int next = 0;
  bool good = true;
  void visit(int number) {
    good = good && inside.fetch_add(1) == 0 && number == next++;
    inside.fetch_sub(1);
  }
};

}  // namespace

TEST_CASE("lanes: each key is handled in order and never by two at once", "[engine]") {
  constexpr int keys = 50;
  constexpr int rounds = 400;
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  std::vector<key_watch> watched(keys);
  auto sub = b.subscribe(orders, {.on = workers, .concurrency = 3},
                         [&](const order& o) { watched[static_cast<std::size_t>(o.customer)].visit(o.number); });
  auto out = b.publisher(orders);
  for (int round = 0; round != rounds; ++round) {
    for (int key = 0; key != keys; ++key) out.publish({key, round}, {.key = key_of(key)});
  }
  CHECK(b.drain().complete());
  for (const key_watch& each : watched) {
    CHECK(each.good);
    CHECK(each.next == rounds);
  }
  CHECK(sub.counters().handled == keys * rounds);
}

TEST_CASE("lanes: different keys run in parallel, on a pool and on dedicated threads", "[engine]") {
  const auto meet = [](executor_choice on, bus& b) {
    support::watched inside;
    std::set<int> present;
    auto sub = b.subscribe(orders, {.on = on, .concurrency = 2}, [&](const order& o) {
      inside.change([&] { present.insert(o.customer); });
      inside.wait([&] { return present.size() == 2; });  // only if both are there at once
    });
    for (int key = 0; key != 2; ++key) b.publish(orders, {key, 0}, {.key = key_of(key)});
    CHECK(b.drain().complete());
  };
  bus b;
  meet(b.pool("workers", {.threads = 2}), b);
  meet(dedicated, b);
}

TEST_CASE("lanes: a key that stands still holds up its own lane only", "[engine]") {
  constexpr int keys = 200;
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  support::barrier at;
  support::watched seen;
  int others = 0;
  auto sub = b.subscribe(orders, {.on = workers, .concurrency = 2}, [&](const order& o) {
    if (o.customer == 0) return at.pass();
    seen.change([&] { ++others; });
  });
  b.publish(orders, {0, 0}, {.key = key_of(0)});
  at.wait_for_visitor();
  for (int key = 1; key != keys; ++key) b.publish(orders, {key, 0}, {.key = key_of(key)});
  // At most the keys that share its lane wait: a few of two hundred.
  seen.wait([&] { return others > keys * 9 / 10; });
  at.open();
  CHECK(b.drain().complete());
  CHECK(others == keys - 1);
}

TEST_CASE("lanes: what handlers of a key publish stays in order, whatever thread ran them", "[engine]") {
  constexpr int keys = 20;
  constexpr int rounds = 300;
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  auto first = b.subscribe(orders, {.on = workers, .concurrency = 3},
                           [&](const order& o) { b.publish(invoices, o, {.key = key_of(o.customer)}); });
  std::vector<int> next(keys);
  bool good = true;
  auto second = b.subscribe(invoices, {.capacity = 16}, [&](const order& o) {
    good = good && next[static_cast<std::size_t>(o.customer)]++ == o.number;
  });
  auto out = b.publisher(orders);
  for (int round = 0; round != rounds; ++round) {
    for (int key = 0; key != keys; ++key) out.publish({key, round}, {.key = key_of(key)});
  }
  CHECK(b.drain().complete());
  CHECK(good);
  CHECK(std::all_of(next.begin(), next.end(), [](int each) { return each == rounds; }));
}

TEST_CASE("lanes: in a group a key stays with its member until members change, and then moves in order", "[engine]") {
  constexpr int keys = 40;
  constexpr int rounds = 200;
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  std::vector<key_watch> watched(keys);
  std::mutex mutex;
  std::vector<std::set<int>> members_of(keys);
  const auto member = [&](int number) {
    return b.subscribe(orders, {.on = workers, .group = "g", .concurrency = 2}, [&, number](const order& o) {
      watched[static_cast<std::size_t>(o.customer)].visit(o.number);
      const std::lock_guard lock(mutex);
      members_of[static_cast<std::size_t>(o.customer)].insert(number);
    });
  };
  auto first = member(1);
  auto second = member(2);
  auto out = b.publisher(orders);
  int round = 0;
  const auto publish_rounds = [&] {
    for (const int end = round + rounds; round != end; ++round) {
      for (int key = 0; key != keys; ++key) out.publish({key, round}, {.key = key_of(key)});
    }
  };
  publish_rounds();
  CHECK(b.drain().complete());
  for (const auto& each : members_of) CHECK(each.size() == 1);
  std::thread changing([&] {
    for (int i = 0; i != 50; ++i) auto third = member(3);
    first.end();
  });
  publish_rounds();
  changing.join();
  publish_rounds();
  CHECK(b.drain().complete());
  for (const key_watch& each : watched) {
    CHECK(each.good);
    CHECK(each.next == 3 * rounds);
  }
}

TEST_CASE("lanes: ending the subscription while lanes run waits for all of them", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  std::atomic<int> inside{0};
  for (int round = 0; round != 100; ++round) {
    auto sub = b.subscribe(orders, {.on = workers, .concurrency = 3}, [&](const order&) {
      ++inside;
      std::this_thread::yield();
      --inside;
    });
    auto out = b.publisher(orders);
    for (int i = 0; i != 100; ++i) out.publish({i % 7, i}, {.key = key_of(i % 7)});
    sub.end();
    REQUIRE(inside == 0);
  }
  CHECK(b.drain().complete());
}

TEST_CASE("lanes: the key of a topic is a member, a member function or a callable; a number, an enum or text",
          "[engine]") {
  enum class colour : std::uint8_t { red, green };
  struct part {
    int id;
    colour paint;
    std::string owner;
    int number;
    [[nodiscard]] std::string_view shelf() const { return std::string_view(owner).substr(0, 1); }
  };
  static constexpr auto third = [](const part& p) { return p.id % 3; };
  static constexpr topic<part, &part::id> by_id{"t.by.id"};
  static constexpr topic<part, &part::paint> by_paint{"t.by.paint"};
  static constexpr topic<part, &part::owner> by_owner{"t.by.owner"};
  static constexpr topic<part, &part::shelf> by_shelf{"t.by.shelf"};
  static constexpr topic<part, third> by_rest{"t.by.rest"};
  bus b;
  auto workers = b.pool("workers", {.threads = 3});
  const auto in_order = [&](const topic<part>& to, const auto& key_of_part) {
    std::map<std::string, key_watch> watched;
    for (const char* key : {"0", "1", "2", "a", "b", "A", "B"}) watched[key];
    auto sub = b.subscribe(to, {.on = workers, .concurrency = 3},
                           [&](const part& p) { watched.at(key_of_part(p)).visit(p.number); });
    std::map<std::string, int> next;
    auto out = b.publisher(to);
    for (int i = 0; i != 600; ++i) {
      part p{i % 3, i % 2 == 0 ? colour::red : colour::green, i % 2 == 0 ? "Ann" : "Bob", 0};
      p.number = next[key_of_part(p)]++;
      out.publish(p);
    }
    REQUIRE(b.drain().complete());
    int seen = 0;
    for (const auto& [key, each] : watched) {
      CHECK(each.good);
      seen += each.next;
    }
    CHECK(seen == 600);
  };
  in_order(by_id, [](const part& p) { return std::to_string(p.id); });
  in_order(by_paint, [](const part& p) { return std::string(p.paint == colour::red ? "a" : "b"); });
  in_order(by_owner, [](const part& p) { return p.owner.substr(0, 1); });
  in_order(by_shelf, [](const part& p) { return std::string(p.shelf()); });
  in_order(by_rest, [](const part& p) { return std::to_string(p.id % 3); });
}

TEST_CASE("lanes: two different keys of one topic name are an error that names both", "[engine]") {
  bus b;
  constexpr topic<order> without{"t.keyed"};
  constexpr topic<order, &order::customer> by_customer{"t.keyed"};
  constexpr topic<order, &order::number> by_number{"t.keyed"};
  auto first = b.publisher(without);
  auto second = b.publisher(by_customer);
  auto again = b.publisher(without);
  const auto refused = b.try_subscribe(by_number, [](const order&) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == error_code::topic_key_conflict);
  CHECK(refused.error().text().find("order::customer") != std::string::npos);
  CHECK(refused.error().text().find("order::number") != std::string::npos);
}

TEST_CASE("lanes: latest() keeps one message for each key of the topic", "[engine]") {
  static constexpr topic<order, &order::customer> by_customer{"t.latest.by.customer"};
  bus b;
  loop here;
  std::vector<order> seen;
  auto sub = b.subscribe(by_customer, {.overflow = overflow::latest(), .on = here},
                         [&](const order& o) { seen.push_back(o); });
  for (int i = 0; i != 10; ++i) b.publish(by_customer, {i % 2, i});
  here.run_until_idle();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].number == 8);
  CHECK(seen[1].number == 9);
}

TEST_CASE("lanes: a message that holds something back stops its lane and no other", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  loop slow;
  std::atomic<int> answered{0};
  support::watched seen;
  int others = 0;
  auto answering = b.subscribe(invoices, {.capacity = 1, .on = slow}, [&](const order&) { ++answered; });
  auto asking = b.subscribe(orders, {.on = workers, .concurrency = 2}, [&](const order& o) {
    if (o.customer == 0) {
      for (int i = 0; i != 3; ++i) b.publish(invoices, o);
    } else {
      seen.change([&] { ++others; });
    }
  });
  for (int i = 0; i != 5; ++i) b.publish(orders, {0, i}, {.key = key_of(0)});
  for (int key = 1; key != 100; ++key) b.publish(orders, {key, 0}, {.key = key_of(key)});
  seen.wait([&] { return others > 80; });
  CHECK(asking.counters().handled < 105);
  while (answered != 15) slow.run_once();
  CHECK(b.drain().complete());
  CHECK(asking.counters().handled == 104);
}
