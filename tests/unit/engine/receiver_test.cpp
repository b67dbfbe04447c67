#include <amphibus/receiver.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<std::string> words{"t.words"};

}  // namespace

TEST_CASE("receiver: pulls in order, with the context, and says when there is nothing", "[engine]") {
  bus b;
  auto in = b.receiver(numbers);
  CHECK_FALSE(in.try_next());
  auto out = b.publisher(numbers);
  for (int i = 0; i != 200; ++i) out.publish({i}, {.key = i == 7 ? "seven" : ""});
  for (int i = 0; i != 200; ++i) {
    const auto next = in.try_next();
    REQUIRE(next);
    CHECK((*next)->value == i);
    CHECK(next->with().topic() == "t.numbers");
    CHECK(next->with().key() == (i == 7 ? "seven" : ""));
  }
  CHECK_FALSE(in.try_next());
  CHECK(in.counters().handled == 200);
  CHECK(b.drain().complete());
}

TEST_CASE("receiver: a message is kept without a copy beyond receiver and bus", "[engine]") {
  std::optional<message<std::string>> kept;
  {
    bus b;
    auto in = b.receiver(words);
    b.publish(words, "a text that is longer than what fits into a slot of the queue");
    kept = in.try_next();
    b.close(0ms);
  }
  REQUIRE(kept);
  CHECK((*kept)->substr(0, 6) == "a text");
  CHECK(kept->with().topic() == "t.words");
}

TEST_CASE("receiver: what is kept keeps its place, and drain waits for it", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  auto in = b.receiver(numbers, {.name = "puller", .capacity = 2});
  CHECK(b.try_publish(numbers, {1}) == publish_status::accepted);
  CHECK(b.try_publish(numbers, {2}) == publish_status::accepted);
  {
    const auto first = in.try_next();
    CHECK(b.try_publish(numbers, {3}) == publish_status::would_block);
    CHECK(b.drain(0ms).left.size() == 1);
  }
  CHECK(b.try_publish(numbers, {3}) == publish_status::accepted);
  while (in.try_next()) {
  }
  CHECK(b.drain(0ms).complete());
}

TEST_CASE("receiver: waits until its deadline by the bus's clock", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  auto in = b.receiver(numbers);
  std::optional<bool> got;
  std::thread waiting([&] { got = in.next_for(3s).has_value(); });
  time.wait_for_parked(1);
  time.advance(3s);
  waiting.join();
  CHECK(got == false);
}

TEST_CASE("receiver: single messages wake it, none is missed", "[engine]") {
  bus b;
  auto in = b.receiver(numbers);
  auto back = b.receiver(words);
  constexpr int rounds = 3'000;
  std::thread other([&] {
    for (int i = 0; i != rounds; ++i) {
      if (in.next_for(30s)) b.publish(words, "next");
    }
  });
  int answered = 0;
  for (int i = 0; i != rounds; ++i) {
    b.publish(numbers, {i});
    answered += back.next_for(30s) ? 1 : 0;
  }
  other.join();
  CHECK(answered == rounds);
}

TEST_CASE("receiver: close wakes who waits and leaves what was pulled", "[engine]") {
  auto b = std::make_unique<bus>();
  auto in = b->receiver(numbers);
  b->publish(numbers, {1});
  auto first = in.try_next();
  std::optional<bool> got;
  std::thread waiting([&] { got = in.next_until(base::time_point::max()).has_value(); });
  b->close(0ms);
  waiting.join();
  CHECK(got == false);
  CHECK((*first)->value == 1);
  b.reset();
  in.end();
}

TEST_CASE("receiver: its end counts what was not pulled, and publishers see it", "[engine]") {
  bus b;
  auto in = b.receiver(words);
  for (int i = 0; i != 100; ++i) b.publish(words, std::to_string(i));
  const auto first = in.try_next();
  in.end();
  CHECK_FALSE(in);
  CHECK_FALSE(in.try_next());
  CHECK(**first == "0");
  CHECK(b.publish(words, "x") == publish_status::no_subscribers);
}

TEST_CASE("receiver: inside a handler it never waits", "[engine]") {
  bus b;
  loop here;
  auto in = b.receiver(words);
  bool empty = false;
  auto sub = b.subscribe(numbers, {.on = here}, [&](const number&) { empty = !in.next_for(1h); });
  b.publish(numbers, {1});
  here.run_until_idle();
  CHECK(empty);
}

TEST_CASE("receiver: drops its oldest, keeps the latest, refuses an executor", "[engine]") {
  bus b;
  auto oldest = b.receiver(numbers, {.capacity = 2, .overflow = overflow::drop_oldest()});
  auto latest = b.receiver(numbers, {.overflow = overflow::latest()});
  auto out = b.publisher(numbers);
  for (int i = 1; i <= 5; ++i) out.publish({i});
  const auto next = oldest.try_next();
  CHECK((*next)->value == 4);
  CHECK(next->with().lost_before() == 3);
  const auto newest = latest.try_next();
  CHECK((*newest)->value == 5);
  CHECK(newest->with().lost_before() == 4);
  CHECK_THROWS_AS(b.receiver(numbers, {.on = inline_}), error);
}

TEST_CASE("receiver: messages that are destroyed on other threads are counted exactly", "[engine]") {
  bus b;
  auto in = b.receiver(numbers, {.capacity = 64});
  auto out = b.publisher(numbers);
  std::thread publishing([&] {
    for (int i = 0; i != 20'000; ++i) out.publish({i});
  });
  std::vector<message<number>> handed;
  int count = 0;
  while (count != 20'000) {
    auto next = in.next_for(30s);
    REQUIRE(next);
    ++count;
    handed.push_back(std::move(*next));
    if (handed.size() == 16) std::thread([dying = std::exchange(handed, {})]() mutable { dying.clear(); }).join();
  }
  handed.clear();
  publishing.join();
  CHECK(b.drain().complete());
  CHECK(in.counters().pending == 0);
}
