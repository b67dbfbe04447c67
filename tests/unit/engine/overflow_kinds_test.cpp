#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> answers{"t.answers"};
constexpr topic<std::string> words{"w.words"};

}  // namespace

TEST_CASE("overflow: fail refuses at once, for everybody, also inside a handler", "[engine]") {
  bus b;
  loop here;
  auto other = b.subscribe(numbers, {.on = here}, [](const number&) {});
  auto failing = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::fail(), .on = here}, [](const number&) {});
  publish_status inside{};
  auto asking = b.subscribe(answers, {.on = here}, [&](const number& n) { inside = b.publish(numbers, n); });
  CHECK(b.publish(numbers, {1}) == publish_status::accepted);
  CHECK(b.publish(numbers, {2}) == publish_status::would_block);
  CHECK(other.counters().pending == 1);
  b.publish(answers, {3});
  here.run_once();
  CHECK(inside != publish_status::closed);
  here.run_until_idle();
  CHECK(b.publish(numbers, {4}) == publish_status::accepted);
}

TEST_CASE("overflow: fail inside a handler is refused and not held", "[engine]") {
  bus b;
  loop asking_loop;
  loop storing_loop;
  auto storing =
      b.subscribe(numbers, {.capacity = 1, .overflow = overflow::fail(), .on = storing_loop}, [](const number&) {});
  std::vector<publish_status> inside;
  auto asking =
      b.subscribe(answers, {.on = asking_loop}, [&](const number& n) { inside.push_back(b.publish(numbers, n)); });
  b.publish(answers, {1});
  b.publish(answers, {2});
  asking_loop.run_until_idle();
  CHECK(inside == std::vector<publish_status>{publish_status::accepted, publish_status::would_block});
  CHECK(asking.counters().pending == 0);
}

TEST_CASE("overflow: drop_oldest throws out the same source's oldest and tells before the next", "[engine]") {
  bus b;
  loop here;
  std::vector<std::pair<int, std::uint64_t>> seen;
  auto sub = b.subscribe(numbers, {.capacity = 3, .overflow = overflow::drop_oldest(), .on = here},
                         [&](const number& n, const context& with) { seen.emplace_back(n.value, with.lost_before()); });
  auto out = b.publisher(numbers);
  for (int i = 1; i <= 5; ++i) CHECK(out.publish({i}) == publish_status::accepted);
  here.run_until_idle();
  out.publish({6});
  here.run_until_idle();
  CHECK(seen == std::vector<std::pair<int, std::uint64_t>>{{3, 2}, {4, 0}, {5, 0}, {6, 0}});
  CHECK(sub.counters().dropped == 2);
  CHECK(sub.counters().handled == 4);
  CHECK(sub.counters().pending == 0);
  CHECK(b.drain().complete());
}

TEST_CASE("overflow: drop_oldest leaves other sources' messages alone", "[engine]") {
  bus b;
  loop here;
  std::vector<int> seen;
  auto sub = b.subscribe(numbers, {.capacity = 2, .overflow = overflow::drop_oldest(), .on = here},
                         [&](const number& n) { seen.push_back(n.value); });
  auto quiet = b.publisher(numbers);
  auto loud = b.publisher(numbers);
  quiet.publish({1});
  quiet.publish({2});
  for (int i = 10; i != 20; ++i) CHECK(loud.publish({i}) == publish_status::accepted);
  here.run_until_idle();
  CHECK(seen == std::vector<int>{1, 2});
  CHECK(sub.counters().dropped == 10);
}

TEST_CASE("overflow: drop_oldest while the consumer takes loses nothing uncounted and keeps the order", "[engine]") {
  bus b;
  int last = 0;
  bool ordered = true;
  std::uint64_t lost = 0;
  auto sub = b.subscribe(numbers, {.capacity = 64, .overflow = overflow::drop_oldest(), .on = dedicated},
                         [&](const number& n, const context& with) {
                           ordered = ordered && n.value > last;
                           last = n.value;
                           lost += with.lost_before();
                         });
  auto out = b.publisher(numbers);
  constexpr int count = 200'000;
  for (int i = 1; i <= count; ++i) out.publish({i});
  CHECK(b.drain().complete());
  CHECK(ordered);
  CHECK(last == count);  // the newest is never thrown out
  const auto counted = sub.counters();
  CHECK(counted.handled + counted.dropped == count);
  CHECK(lost == counted.dropped);
}

TEST_CASE("overflow: one that stands still and throws out takes nothing from those beside it", "[engine]") {
  bus b;
  loop still;
  std::vector<int> kept;
  auto screen = b.subscribe(numbers, {.capacity = 8, .overflow = overflow::drop_oldest(), .on = still},
                            [&](const number& n) { kept.push_back(n.value); });
  int last = 0;
  bool ordered = true;
  auto other = b.subscribe(numbers, {.capacity = 64, .on = dedicated}, [&](const number& n) {
    ordered = ordered && n.value == last + 1;
    last = n.value;
  });
  auto out = b.publisher(numbers);
  constexpr int count = 10'000;  // many blocks of the multicast
  for (int i = 1; i <= count; ++i) {
    // Every tenth has an envelope of its own, which goes with it.
    const auto options = i % 10 == 0 ? publish_options{.key = "tenth"} : publish_options{};
    REQUIRE(out.publish({i}, options) == publish_status::accepted);
  }
  CHECK(screen.counters().pending == 8);
  CHECK(screen.counters().dropped == count - 8);
  still.run_until_idle();
  CHECK(b.drain().complete());
  CHECK(ordered);
  CHECK(last == count);
  CHECK(kept == std::vector<int>{9'993, 9'994, 9'995, 9'996, 9'997, 9'998, 9'999, 10'000});
}

TEST_CASE("overflow: latest keeps one message per key, in the order of the keys", "[engine]") {
  bus b;
  loop here;
  std::vector<std::tuple<std::string, int, std::uint64_t>> seen;
  auto sub = b.subscribe(
      numbers, {.overflow = overflow::latest(), .on = here},
      [&](const number& n, const context& with) { seen.emplace_back(with.key(), n.value, with.lost_before()); });
  for (int i = 1; i <= 3; ++i) {
    b.publish(numbers, {i}, {.key = "a"});
    b.publish(numbers, {10 * i}, {.key = "b"});
  }
  b.publish(numbers, {7});  // no key is a key too
  here.run_until_idle();
  b.publish(numbers, {4}, {.key = "a"});
  here.run_until_idle();
  CHECK(seen ==
        std::vector<std::tuple<std::string, int, std::uint64_t>>{{"a", 3, 2}, {"b", 30, 2}, {"", 7, 0}, {"a", 4, 0}});
  CHECK(sub.counters().replaced == 4);
  CHECK(sub.counters().dropped == 0);
  CHECK(sub.counters().handled == 4);
  CHECK(b.drain().complete());
}

TEST_CASE("overflow: latest bounds the keys that wait, and lets go of what it replaced", "[engine]") {
  bus b;
  loop here;
  std::vector<std::string> seen;
  auto sub = b.subscribe(words, {.capacity = 2, .overflow = overflow::latest(), .on = here},
                         [&](const std::string& w) { seen.push_back(w); });
  for (const char* key : {"a", "b", "c", "a"}) CHECK(b.publish(words, key, {.key = key}) == publish_status::accepted);
  CHECK(sub.counters().dropped == 1);
  here.run_until_idle();
  CHECK(seen == std::vector<std::string>{"a", "b"});
  b.publish(words, "not handled", {.key = "d"});
  sub.end();
}

TEST_CASE("overflow: latest tells of every key that found no place, also of several in a row", "[engine]") {
  bus b;
  loop here;
  std::uint64_t lost = 0;
  auto sub = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::latest(), .on = here},
                         [&](const number&, const context& with) { lost += with.lost_before(); });
  for (const char* key : {"a", "b", "c", "d"}) b.publish(numbers, {1}, {.key = key});
  here.run_until_idle();
  b.publish(numbers, {2}, {.key = "a"});
  here.run_until_idle();
  CHECK(lost == 3);
}

TEST_CASE("overflow: latest beside a handler that runs ends with the newest", "[engine]") {
  bus b;
  int last = 0;
  std::uint64_t handled = 0;
  std::uint64_t lost = 0;
  auto sub = b.subscribe(numbers, {.overflow = overflow::latest(), .on = dedicated},
                         [&](const number& n, const context& with) {
                           last = n.value;
                           ++handled;
                           lost += with.lost_before();
                         });
  auto out = b.publisher(numbers);
  constexpr int count = 100'000;
  for (int i = 1; i <= count; ++i) out.publish({i});
  CHECK(b.drain().complete());
  CHECK(last == count);
  CHECK(handled + lost == count);
  CHECK(sub.counters().replaced == lost);
}

TEST_CASE("overflow: patterns drop their oldest and keep the latest per topic and key", "[engine]") {
  bus b;
  loop here;
  std::vector<int> oldest;
  std::vector<int> latest;
  auto first = b.subscribe(pattern<number>{"t.*"}, {.capacity = 1, .overflow = overflow::drop_oldest(), .on = here},
                           [&](const number& n) { oldest.push_back(n.value); });
  auto second = b.subscribe(pattern<number>{"t.*"}, {.overflow = overflow::latest(), .on = here},
                            [&](const number& n) { latest.push_back(n.value); });
  b.publish(numbers, {1});
  b.publish(answers, {2});
  b.publish(numbers, {3});
  here.run_until_idle();
  CHECK(oldest.size() == 1);
  CHECK(latest == std::vector<int>{3, 2});
}
