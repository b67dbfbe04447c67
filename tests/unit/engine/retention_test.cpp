#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/testing/manual_clock.hpp>
#include <amphibus/transport/transport.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct reading {
  int sensor;
  int value;
  friend bool operator==(const reading& a, const reading& b) { return a.sensor == b.sensor && a.value == b.value; }
  friend std::ostream& operator<<(std::ostream& to, const reading& of) { return to << of.sensor << ':' << of.value; }
};
using readings_list = std::vector<reading>;

constexpr topic<reading, &reading::sensor> last_readings{"r.last", retain::last_value()};
constexpr topic<reading, &reading::sensor> recent_readings{"r.recent", retain::history(3)};
constexpr topic<reading> recent{"r.unkeyed", retain::history(1'000)};
constexpr topic<reading> bounded{"r.bounded", retain::last_value(10)};
constexpr topic<reading> not_retained{"r.live"};
constexpr topic<std::string> texts{"x.texts", retain::history(100)};

/// A message that says when it is destroyed.
struct counted {
  std::shared_ptr<int> alive;
};
constexpr topic<counted> counted_topic{"x.counted", retain::history(2)};

/// Everything a subscription was given, in order. Thread: its handler's, read after drain().
struct record {
  readings_list all;
  auto into() {
    return [this](const reading& each) { all.push_back(each); };
  }
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const error& why) {
    return why.what();
  }
  return "";
}

}  // namespace

TEST_CASE("retention: who joins gets the last value of each key, in the order of their publish, and then what is live",
          "[engine]") {
  bus b;
  for (int value = 1; value <= 3; ++value) {
    for (const int sensor : {7, 5, 6}) CHECK(b.publish(last_readings, {sensor, value}) == publish_status::accepted);
  }
  CHECK(b.publish(last_readings, {7, 4}) == publish_status::accepted);
  CHECK(b.counters(last_readings).retained == 3);
  record got;
  auto sub = b.subscribe(last_readings, {.start = start::last_value()}, got.into());
  record live;
  auto other = b.subscribe(last_readings, live.into());
  b.publish(last_readings, {6, 5});
  CHECK(b.drain().complete());
  CHECK(got.all == readings_list{{5, 3}, {6, 3}, {7, 4}, {6, 5}});
  CHECK(live.all == readings_list{{6, 5}});
  CHECK(sub.counters().handled == 4);
  CHECK(sub.counters().pending == 0);
}

TEST_CASE("retention: as many of each key as were asked for, and no more than there are", "[engine]") {
  bus b;
  for (int value = 1; value <= 5; ++value) {
    b.publish(recent_readings, {1, value});
    if (value <= 2) b.publish(recent_readings, {2, value});
  }
  record two;
  auto last_two = b.subscribe(recent_readings, {.start = start::history(2)}, two.into());
  record three;
  auto last_three = b.subscribe(recent_readings, {.start = start::history(3)}, three.into());
  CHECK(b.drain().complete());
  CHECK(two.all == readings_list{{2, 1}, {2, 2}, {1, 4}, {1, 5}});
  CHECK(three.all == readings_list{{2, 1}, {2, 2}, {1, 3}, {1, 4}, {1, 5}});
  CHECK(b.counters(recent_readings).retained == 5);
  CHECK(b.counters(recent_readings).forgotten == 0);
}

TEST_CASE("retention: keys are the topic's, else those of the publish options; without any the topic has one",
          "[engine]") {
  bus b;
  b.publish(bounded, {1, 1});
  b.publish(bounded, {1, 2}, {.key = "a"});
  b.publish(bounded, {1, 3}, {.key = "b"});
  b.publish(bounded, {1, 4});
  b.publish(bounded, {1, 5}, {.key = "a"});
  record got;
  auto sub = b.subscribe(bounded, {.start = start::last_value()}, got.into());
  CHECK(b.drain().complete());
  CHECK(got.all == readings_list{{1, 3}, {1, 4}, {1, 5}});
}

TEST_CASE("retention: asking for more than is retained is an error that says both and how to mend it", "[engine]") {
  bus b;
  const auto none =
      message_of([&] { auto sub = b.subscribe(not_retained, {.start = start::last_value()}, [](const reading&) {}); });
  CHECK_THAT(none, Catch::Contains("AMB-E0104") && Catch::Contains("'r.live', which retains nothing") &&
                       Catch::Contains("retain = \"history(1)\""));
  const auto more =
      message_of([&] { auto sub = b.subscribe(recent_readings, {.start = start::history(4)}, [](const reading&) {}); });
  CHECK_THAT(more, Catch::Contains("the last 4 messages of each key of topic 'r.recent', which retains 3"));
  const auto pulled = message_of([&] { auto in = b.receiver(not_retained, {.start = start::last_value()}); });
  CHECK_THAT(pulled, Catch::Contains("'r.live', which retains nothing"));
  const auto called = message_of([&] {
    auto sub = b.subscribe(recent_readings, {.on = inline_, .start = start::last_value()}, [](const reading&) {});
  });
  CHECK_THAT(called, Catch::Contains("inline_") && Catch::Contains(".start"));
  CHECK(b.publish(not_retained, {1, 1}) == publish_status::no_subscribers);
}

TEST_CASE("retention: beyond its bound a topic forgets its oldest message and counts it", "[engine]") {
  bus b;
  for (int i = 0; i != 25; ++i) b.publish(bounded, {i, i}, {.key = std::to_string(i)});
  CHECK(b.counters(bounded).retained == 10);
  CHECK(b.counters(bounded).forgotten == 15);
  record got;
  auto sub = b.subscribe(bounded, {.start = start::last_value()}, got.into());
  CHECK(b.drain().complete());
  REQUIRE(got.all.size() == 10);
  CHECK(got.all.front() == reading{15, 15});
}

TEST_CASE("retention: all topics of a bus keep at most half of its memory", "[engine]") {
  bus b({.memory_max_bytes = std::size_t{1} << 20U});
  const std::string large(50'000, 'x');
  for (int i = 0; i != 50; ++i) {
    std::string text = large;
    CHECK(b.publish(texts, std::move(text)) == publish_status::accepted);
  }
  CHECK(b.memory().used_bytes <= (std::size_t{1} << 19U));
  const auto counts = b.counters(texts);
  CHECK(counts.retained >= 8);
  CHECK(counts.retained + counts.forgotten == 50);
  SECTION("one that is larger than what may be kept is delivered, and not kept") {
    std::size_t size = 0;
    auto sub = b.subscribe(texts, [&](const std::string& text) { size = text.size(); });
    CHECK(b.publish(texts, std::string(600'000, 'y')) == publish_status::accepted);
    CHECK(b.drain().complete());
    CHECK(size == 600'000);
    CHECK(b.counters(texts).retained == 0);
    CHECK(b.counters(texts).forgotten == 51);
  }
}

TEST_CASE("retention: what a newer message replaces is destroyed at once, the rest when the bus closes", "[engine]") {
  const auto alive = std::make_shared<int>();
  auto b = std::make_unique<bus>();
  auto out = b->publisher(counted_topic);
  for (int i = 0; i != 5; ++i) out.publish({alive});
  CHECK(alive.use_count() == 1 + 2);
  b->close();
  CHECK(alive.use_count() == 1);
  CHECK(b->counters(counted_topic).retained == 0);
  b.reset();
  CHECK(out.publish({alive}) == publish_status::closed);
}

TEST_CASE("retention: a history needs no room, is handled before what is live, and its places are free afterwards",
          "[engine]") {
  bus b;
  auto out = b.publisher(recent);
  for (int i = 0; i != 1'000; ++i) out.publish({0, i});
  loop here;
  record got;
  auto sub = b.subscribe(recent, {.capacity = 16, .on = here, .start = start::history(1'000)}, got.into());
  CHECK(sub.counters().pending == 1'000);
  CHECK(out.try_publish({0, 1'000}) == publish_status::would_block);
  here.run_until_idle();
  for (int i = 1'000; i != 1'016; ++i) CHECK(out.try_publish({0, i}) == publish_status::accepted);
  CHECK(out.try_publish({0, 1'016}) == publish_status::would_block);
  here.run_until_idle();
  REQUIRE(got.all.size() == 1'016);
  for (int i = 0; i != 1'016; ++i) CHECK(got.all[static_cast<std::size_t>(i)].value == i);
}

TEST_CASE("retention: every overflow rule takes a history", "[engine]") {
  bus b;
  auto out = b.publisher(recent);
  for (int i = 0; i != 20; ++i) out.publish({0, i});
  loop here;
  record got;
  const auto rule = GENERATE(overflow::block(), overflow::fail(), overflow::drop_newest(), overflow::drop_oldest(),
                             overflow::latest());
  auto sub =
      b.subscribe(recent, {.capacity = 4, .overflow = rule, .on = here, .start = start::history(10)}, got.into());
  const auto answer = out.try_publish({0, 20});
  here.run_until_idle();
  readings_list expected;
  for (int i = 10; i != 20; ++i) expected.push_back({0, i});
  if (rule.rule().kind == queue::overflow_kind::drop_oldest || rule.rule().kind == queue::overflow_kind::latest) {
    expected.push_back({0, 20});  // what waits is bounded, and it alone waits
  } else {
    CHECK((answer == publish_status::would_block || sub.counters().dropped == 1));
  }
  CHECK(got.all == expected);
  CHECK(out.try_publish({0, 21}) == publish_status::accepted);
  here.run_until_idle();
  CHECK(got.all.back() == reading{0, 21});
  CHECK(sub.counters().pending == 0);
}

TEST_CASE("retention: a handler that has to wait in the middle of a history goes on where it was", "[engine]") {
  constexpr topic<reading> onwards{"r.onwards"};
  bus b;
  for (int i = 0; i != 700; ++i) b.publish(recent, {0, i});
  loop slow;
  loop here;
  record last;
  auto sink = b.subscribe(onwards, {.capacity = 3, .on = slow}, last.into());
  auto sub = b.subscribe(recent, {.on = here, .start = start::history(1'000)},
                         [&](const reading& each) { b.publish(onwards, each); });
  auto out = b.publisher(recent);
  out.publish({0, 700});
  while (sub.counters().pending != 0 || sink.counters().pending != 0) {
    here.run_once();
    slow.run_once();
  }
  REQUIRE(last.all.size() == 701);
  for (int i = 0; i != 701; ++i) CHECK(last.all[static_cast<std::size_t>(i)].value == i);
}

TEST_CASE("retention: a filter also looks at the history", "[engine]") {
  bus b;
  for (int i = 0; i != 10; ++i) b.publish(recent, {0, i});
  record got;
  auto sub = b.subscribe(recent, {.start = start::history(1'000)},
                         filter([](const reading& each) { return each.value % 2 == 0; }, got.into()));
  CHECK(b.drain().complete());
  CHECK(got.all == readings_list{{0, 0}, {0, 2}, {0, 4}, {0, 6}, {0, 8}});
  CHECK(sub.counters().filtered == 5);
}

TEST_CASE("retention: what has expired since is not started", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  b.publish(recent, {0, 1}, {.deadline = 10ms});
  b.publish(recent, {0, 2}, {.deadline = 1h});
  time.advance(20ms);
  loop here;
  record got;
  auto sub = b.subscribe(recent, {.on = here, .start = start::history(10)}, got.into());
  here.run_until_idle();
  CHECK(got.all == readings_list{{0, 2}});
  CHECK(sub.counters().expired == 1);
}

TEST_CASE("retention: a pattern gets the history of every topic that it covers, if all of them retain as much",
          "[engine]") {
  bus b;
  b.publish(last_readings, {1, 1});
  b.publish(recent_readings, {2, 1});
  b.publish(recent_readings, {2, 2});
  b.publish(recent, {3, 1});
  record got;
  auto sub = b.subscribe(pattern<reading>{"r.*"}, {.start = start::last_value()}, got.into());
  b.publish(last_readings, {1, 2});
  b.publish(bounded, {4, 1});  // a topic that appears later
  CHECK(b.drain().complete());
  std::sort(got.all.begin(), got.all.end(), [](const reading& x, const reading& y) {
    return std::pair(x.sensor, x.value) < std::pair(y.sensor, y.value);
  });
  CHECK(got.all == readings_list{{1, 1}, {1, 2}, {2, 2}, {3, 1}, {4, 1}});
  b.publish(not_retained, {5, 1});
  const auto refused = message_of(
      [&] { auto more = b.subscribe(pattern<reading>{"r.*"}, {.start = start::last_value()}, [](const reading&) {}); });
  CHECK_THAT(refused, Catch::Contains("'r.live', which retains nothing"));
}

TEST_CASE("retention: a receiver pulls the history first", "[engine]") {
  bus b;
  for (int i = 0; i != 100; ++i) b.publish(recent, {0, i});
  auto in = b.receiver(recent, {.start = start::history(1'000)});
  b.publish(recent, {0, 100});
  for (int i = 0; i != 101; ++i) {
    auto next = in.next_for(10s);
    REQUIRE(next);
    CHECK((*next)->value == i);
  }
  CHECK(!in.try_next());
  CHECK(b.drain().complete());
}

TEST_CASE("retention: a group gets a history once, whoever of its members is ready", "[engine]") {
  bus b;
  for (int i = 0; i != 300; ++i) b.publish(recent, {0, i}, {.key = std::to_string(i % 7)});
  auto workers = b.pool("workers", {.threads = 2});
  std::mutex guard;
  std::vector<readings_list> of_key(7);
  const auto handle = [&](const reading& each) {
    const std::lock_guard lock(guard);
    of_key[static_cast<std::size_t>(each.value % 7)].push_back(each);
  };
  const subscription_options options{.on = workers, .group = "g", .start = start::history(1'000)};
  auto one = b.subscribe(recent, options, handle);
  auto two = b.subscribe(recent, options, handle);
  CHECK(b.drain().complete());
  std::size_t count = 0;
  for (const readings_list& each : of_key) {
    count += each.size();
    CHECK(std::is_sorted(each.begin(), each.end(), [](auto& x, auto& y) { return x.value < y.value; }));
  }
  CHECK(count == 300);
  const auto other = message_of([&] { auto three = b.subscribe(recent, {.on = workers, .group = "g"}, handle); });
  CHECK_THAT(other, Catch::Contains("group 'g' exists with .start"));
}

TEST_CASE("retention: what handlers publish is kept, also what had to wait", "[engine]") {
  constexpr topic<reading> incoming{"i.in"};
  bus b;
  loop here;
  loop slow;
  auto sub = b.subscribe(incoming, {.on = here}, [&](const reading& each) { b.publish(recent, each); });
  auto blocking = b.subscribe(recent, {.capacity = 1, .on = slow}, [](const reading&) {});
  for (int i = 0; i != 5; ++i) b.publish(incoming, {0, i});
  for (int i = 0; i != 20; ++i) {
    here.run_once();
    slow.run_once();
  }
  record got;
  auto late = b.subscribe(recent, {.on = slow, .start = start::history(10)}, got.into());
  slow.run_until_idle();
  CHECK(got.all == readings_list{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}});
}

TEST_CASE("retention: batches and loans are kept too", "[engine]") {
  bus b;
  auto out = b.publisher(texts);
  std::vector<std::string> batch{"a", "b"};
  CHECK(out.publish_batch(std::span(batch)).accepted_prefix == 2);
  auto loan = out.loan("c");
  CHECK(loan.publish() == publish_status::accepted);
  std::string all;
  auto sub = b.subscribe(texts, {.start = start::history(100)}, [&](const std::string& each) { all += each; });
  CHECK(b.drain().complete());
  CHECK(all == "abc");
}

TEST_CASE("retention: constants of one name agree, or it is an error; the first that retains begins to keep",
          "[engine]") {
  static constexpr topic<int> plain{"c.name"};
  static constexpr topic<int> keeps{"c.name", retain::history(2)};
  static constexpr topic<int> keeps_more{"c.name", retain::history(3)};
  bus b;
  auto out = b.publisher(plain);
  CHECK(out.publish(1) == publish_status::no_subscribers);
  CHECK(b.counters(keeps).retained == 0);
  CHECK(out.publish(2) == publish_status::accepted);
  CHECK(b.counters(plain).retained == 1);
  const auto conflict = message_of([&] { b.publish(keeps_more, 3); });
  CHECK_THAT(conflict, Catch::Contains("AMB-E0110") && Catch::Contains("the last 2 of each key") &&
                           Catch::Contains("the last 3 of each key"));
}

TEST_CASE("retention: the file decides over the constant", "[engine]") {
  const auto loaded = config::load_text(R"toml(
[[route]]
topic = "r.live"
transport = "inproc"
retain = "history(2)"
[[route]]
topic = "r.>"
transport = "inproc"
retain = "nothing"
)toml",
                                        "test.toml", {});
  REQUIRE(loaded.errors.empty());
  bus b(loaded.value, {}, {});
  for (int i = 0; i != 5; ++i) b.publish(not_retained, {0, i});
  CHECK(b.counters(not_retained).retained == 2);
  CHECK(b.publish(last_readings, {0, 1}) == publish_status::no_subscribers);
  record got;
  auto sub = b.subscribe(not_retained, {.start = start::history(2)}, got.into());
  CHECK(b.drain().complete());
  CHECK(got.all == readings_list{{0, 3}, {0, 4}});
}

TEST_CASE("retention: joining under load misses nothing and gets nothing twice, from any source", "[engine]") {
  constexpr int sources = 3;
  constexpr int per_source = 3'000;
  static constexpr topic<reading> stream{"s.stream", retain::history(65'536)};
  bus b;
  std::atomic<int> publishing{sources};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int source = 0; source != sources; ++source) {
    threads.emplace_back([&, source] {
      auto out = b.publisher(stream);
      for (int i = 0; i != per_source; ++i) {
        if (out.publish({source, i}) != publish_status::accepted) ++refused;
      }
      --publishing;
    });
  }
  struct joined {
    std::vector<int> next = std::vector<int>(sources, 0);
    std::string why;
    void visit(const reading& each) {
      int& expected = next[static_cast<std::size_t>(each.sensor)];
      if (each.value != expected)
        why += std::to_string(each.sensor) + ": " + std::to_string(each.value) + " instead of " +
               std::to_string(expected) + "; ";
      expected = each.value + 1;
    }
  };
  std::vector<std::unique_ptr<joined>> all;
  std::vector<subscription> subs;
  auto workers = b.pool("workers", {.threads = 2});
  for (int i = 0; publishing.load() != 0 && i != 100; ++i) {
    joined& each = *all.emplace_back(std::make_unique<joined>());
    subs.push_back(b.subscribe(stream, {.capacity = 65'536, .on = workers, .start = start::history(65'536)},
                               [&each](const reading& got) { each.visit(got); }));
    if (i % 3 == 2) {  // some leave again
      subs.erase(subs.begin());
      all.erase(all.begin());
    }
  }
  for (auto& each : threads) each.join();
  CHECK(refused.load() == 0);
  CHECK(b.drain(60s).complete());
  for (const auto& each : all) {
    CHECK(each->why == "");
    for (const int next : each->next) CHECK(next == per_source);
  }
}

TEST_CASE("retention: a message that gives way may destroy a publisher of its topic, and publish", "[engine]") {
  struct holder;
  struct message {
    std::shared_ptr<holder> holds;
  };
  static constexpr topic<message> held{"x.held", retain::last_value()};
  struct holder {
    holder(bus& of, std::atomic<int>& count) : on(of), out(of.publisher(held)), gone(count) {}
    ~holder() {
      static_cast<void>(out.publish({nullptr}));
      ++gone;
    }
    bus& on;
    publisher<message> out;
    std::atomic<int>& gone;
  };
  bus b;
  std::atomic<int> gone{0};
  for (int i = 0; i != 5; ++i) b.publish(held, {std::make_shared<holder>(b, gone)});
  CHECK(gone == 4);
  b.publish(held, {nullptr});
  CHECK(gone == 5);
  b.publish(held, {std::make_shared<holder>(b, gone)});
  b.close();
  CHECK(gone == 6);
}

TEST_CASE("retention: under the pressure of memory publishers, joiners and others go on", "[engine]") {
  static constexpr topic<std::string> large{"x.large", retain::history(8)};
  static constexpr topic<std::string> plain{"x.plain"};
  bus b({.memory_max_bytes = std::size_t{1} << 20U});
  auto workers = b.pool("workers", {.threads = 2});
  std::atomic<long> bytes{0};
  const auto count = [&](const std::string& each) { bytes += static_cast<long>(each.size()); };
  auto one = b.subscribe(large, {.on = workers}, count);
  auto two = b.subscribe(plain, {.on = workers}, count);
  std::vector<std::thread> threads;
  for (int i = 0; i != 3; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round != 40; ++round) {  // new outlets, that have no share of the memory yet
        auto out = b.publisher(i == 2 ? plain : large);
        for (int k = 0; k != 20; ++k) static_cast<void>(out.publish(std::string(20'000, 'x')));
      }
    });
  }
  for (int i = 0; i != 40; ++i) {
    auto late = b.subscribe(large, {.on = workers, .start = start::history(8)}, count);
    std::this_thread::yield();
  }
  for (auto& each : threads) each.join();
  CHECK(b.drain().complete());
  CHECK(b.memory().used_bytes <= (std::size_t{1} << 19U));
}
