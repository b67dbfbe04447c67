#include <amphibus/bus.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct number {
  int value;
};
constexpr topic<number> in{"t.in"};
constexpr topic<number> out_topic{"t.out"};

}  // namespace

TEST_CASE("held: a handler publishes past a full inbox without waiting, in order", "[engine]") {
  bus b;
  loop producer;
  loop consumer;
  std::vector<int> seen;
  std::vector<publish_status> answers;
  auto sink =
      b.subscribe(out_topic, {.capacity = 2, .on = consumer}, [&](const number& n) { seen.push_back(n.value); });
  auto fan = b.subscribe(in, {.on = producer}, [&](const number& n) {
    for (int i = 0; i != 5; ++i) answers.push_back(b.publish(out_topic, {n.value * 10 + i}));
  });
  b.publish(in, {1});
  b.publish(in, {2});
  producer.run_until_idle();
  CHECK(answers == std::vector<publish_status>(5, publish_status::accepted));  // the second message is not taken yet
  CHECK(fan.counters().pending == 2);
  for (int i = 0; i != 10; ++i) {
    consumer.run_until_idle();
    producer.run_until_idle();
  }
  CHECK(seen == std::vector<int>{10, 11, 12, 13, 14, 20, 21, 22, 23, 24});
  CHECK(fan.counters().pending == 0);
}

TEST_CASE("held: drain waits for what is held", "[engine]") {
  bus b;
  std::vector<int> seen;
  auto sink =
      b.subscribe(out_topic, {.capacity = 1, .on = dedicated}, [&](const number& n) { seen.push_back(n.value); });
  auto fan = b.subscribe(in, [&](const number&) {
    for (int i = 0; i != 100; ++i) b.publish(out_topic, {i});
  });
  b.publish(in, {1});
  CHECK(b.drain().complete());
  CHECK(seen.size() == 100);
}

TEST_CASE("held: two modules that publish to each other over full inboxes end as undeliverable, not as a deadlock",
          "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  loop here;
  std::vector<event> told;
  b.on_event([&](const event& what) { told.push_back(what); });
  // Each message makes two of the other kind: the inboxes must fill up.
  auto ping = b.subscribe(in, {.name = "ping", .capacity = 2, .overflow = overflow::block(5s), .on = here},
                          [&](const number& n) {
                            for (int i = 0; i != 2; ++i) b.publish(out_topic, n);
                          });
  auto pong = b.subscribe(out_topic, {.name = "pong", .capacity = 2, .overflow = overflow::block(5s), .on = here},
                          [&](const number& n) {
                            for (int i = 0; i != 2; ++i) b.publish(in, n);
                          });
  b.publish(in, {1});
  for (int i = 0; i != 20; ++i) here.run_once();
  CHECK(told.empty());
  for (int i = 0; i != 40 && told.empty(); ++i) {
    time.advance(5s);
    here.run_once();
  }
  REQUIRE_FALSE(told.empty());
  CHECK(told[0].kind == event_kind::undeliverable);
  CHECK_THAT(told[0].text, Catch::Contains("cycle"));
  CHECK(b.counters(in).undeliverable + b.counters(out_topic).undeliverable == told.size());
  // Nobody runs the loop any more: close() gives up at its deadline, which this clock has to reach.
  std::thread closing([&] { b.close(1s); });
  time.wait_for_parked(1);
  time.advance(1s);
  closing.join();
}

TEST_CASE("held: what waits behind a held message has the timeout of the subscription, not one of its own",
          "[engine]") {
  const auto given_up_after = [](base::duration timeout, base::duration passed) {
    testing::manual_clock time;
    bus b({.clock = &time});
    loop producer;
    loop never_run;
    auto sink = b.subscribe(out_topic, {.capacity = 1, .overflow = overflow::block(timeout), .on = never_run},
                            [](const number&) {});
    auto fan = b.subscribe(in, {.on = producer}, [&](const number&) {
      for (int i = 0; i != 4; ++i) b.publish(out_topic, {i});
    });
    b.publish(in, {1});
    producer.run_once();
    time.advance(passed);
    producer.run_once();
    const auto given_up = b.counters(out_topic).undeliverable;
    std::thread closing([&] { b.close(1s); });  // at its deadline, which this clock has to reach
    time.wait_for_parked(1);
    time.advance(1s);
    closing.join();
    return given_up;
  };
  CHECK(given_up_after(10ms, 10ms) == 3);
  CHECK(given_up_after(1h, 10s) == 0);
}

TEST_CASE("held: the 1025th message that one handler holds back is refused", "[engine]") {
  bus b;
  loop producer;
  loop never_run;
  std::vector<publish_status> answers;
  auto sink = b.subscribe(out_topic, {.capacity = 1, .on = never_run}, [](const number&) {});
  auto fan = b.subscribe(in, {.on = producer}, [&](const number&) {
    for (int i = 0; i != 1027; ++i) answers.push_back(b.publish(out_topic, {i}));
  });
  b.publish(in, {1});
  producer.run_once();
  REQUIRE(answers.size() == 1027);
  CHECK(answers[1024] == publish_status::accepted);  // one in the inbox, 1024 held
  CHECK(answers[1025] == publish_status::would_block);
  CHECK(b.close(1ms).status == drain_status::deadline);
}

TEST_CASE("held: try_publish in a handler holds nothing", "[engine]") {
  bus b;
  loop producer;
  loop never_run;
  publish_status answer{};
  auto sink = b.subscribe(out_topic, {.capacity = 1, .on = never_run}, [](const number&) {});
  auto fan = b.subscribe(in, {.on = producer}, [&](const number&) {
    b.publish(out_topic, {1});
    answer = b.try_publish(out_topic, {2});
  });
  b.publish(in, {1});
  producer.run_until_idle();
  CHECK(answer == publish_status::would_block);
  CHECK(fan.counters().pending == 0);
}

TEST_CASE("held: a message whose only receiver ends before there is room is counted and told", "[engine]") {
  bus b;
  loop asking;
  loop storing;
  std::vector<event> told;
  b.on_event([&](const event& what) { told.push_back(what); });
  auto store = b.subscribe(out_topic, {.capacity = 1, .on = storing}, [](const number&) {});
  auto ask = b.subscribe(in, {.name = "asking", .on = asking}, [&](const number& n) {
    for (int i = 0; i != 3; ++i) CHECK(b.publish(out_topic, n) == publish_status::accepted);
  });
  b.publish(in, {1});
  asking.run_once();
  store.end();
  asking.run_until_idle();
  CHECK(b.counters(out_topic).undeliverable == 2);
  REQUIRE(told.size() == 2);
  CHECK(told[0].kind == event_kind::undeliverable);
  CHECK(told[0].subscription == "asking");
  CHECK(ask.counters().pending == 0);
}

TEST_CASE("held: a callback may publish to the topic of the message that is given up", "[engine]") {
  bus b;
  loop here;
  loop never;
  auto full =
      b.subscribe(out_topic, {.capacity = 1, .overflow = overflow::block(0ns), .on = never}, [](const number&) {});
  std::vector<publish_status> answers;
  b.on_event([&](const event& what) {
    if (what.kind == event_kind::undeliverable) answers.push_back(b.publish(out_topic, {3}));
  });
  auto asks = b.subscribe(in, {.on = here}, [&](const number&) {
    b.publish(out_topic, {1});
    b.publish(out_topic, {2});
  });
  b.publish(in, {1});
  here.run_until_idle();
  CHECK(answers == std::vector<publish_status>{publish_status::would_block});
  CHECK(b.counters(out_topic).undeliverable == 1);
}

TEST_CASE("held: what another handler's turn places is done with for both", "[engine]") {
  bus b;
  loop here;
  loop consumer;
  auto sink = b.subscribe(out_topic, {.capacity = 1, .on = consumer}, [](const number&) {});
  auto out = b.publisher(out_topic);
  REQUIRE(out.publish({0}) == publish_status::accepted);
  auto one = b.subscribe(in, {.on = here}, [&](const number& n) { out.publish(n); });
  auto two = b.subscribe(in, {.on = here}, [&](const number& n) { out.publish(n); });
  b.publish(in, {1});
  here.run_until_idle();
  CHECK(one.counters().pending == 1);
  CHECK(two.counters().pending == 1);
  for (int i = 0; i != 4; ++i) {
    consumer.run_until_idle();
    here.run_until_idle();
  }
  CHECK(sink.counters().handled == 3);
  CHECK(one.counters().pending == 0);
  CHECK(two.counters().pending == 0);
  CHECK(b.drain(0ns).complete());
}

TEST_CASE("held: a dedicated subscription that ends still places what it holds", "[engine]") {
  bus b;
  loop consumer;
  std::atomic<bool> held{false};
  auto sink = b.subscribe(out_topic, {.capacity = 1, .on = consumer}, [](const number&) {});
  REQUIRE(b.publish(out_topic, {0}) == publish_status::accepted);
  auto ends = b.subscribe(in, {.on = dedicated}, [&](const number& n) {
    b.publish(out_topic, n);
    held.store(true);
  });
  b.publish(in, {1});
  while (!held.load()) std::this_thread::yield();
  ends.end();
  while (sink.counters().handled != 2) consumer.run_until_idle();
  CHECK(b.drain().complete());
}
