// What needs a process of its own: fork, static destruction, and contracts that end the process.
#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include "support/child.hpp"
#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> others{"t.others"};

}  // namespace

TEST_CASE("fork: in the child every publish answers closed and nothing hangs", "[engine]") {
  bus b;
  auto sub = b.subscribe(numbers, [](const number&) {});
  auto out = b.publisher(numbers);
  out.publish({1});
  b.publish(numbers, {2});
  const auto ended = support::in_child([&] {
    const bool closed = out.publish({3}) == publish_status::closed &&
                        b.publish(numbers, {4}) == publish_status::closed &&
                        b.publish(others, {5}) == publish_status::closed;
    ::_exit(closed ? 7 : 8);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
  CHECK(out.publish({6}) == publish_status::accepted);
}

TEST_CASE("fork: a bus of its own works in the child, and the parent's may be destroyed there", "[engine]") {
  auto b = std::make_unique<bus>();
  auto sub = std::make_unique<subscription>(b->subscribe(numbers, [](const number&) {}));
  b->publish(numbers, {1});
  const auto ended = support::in_child([&] {
    bus own;
    int handled = 0;
    auto mine = own.subscribe(numbers, [&](const number&) { ++handled; });
    own.publish(numbers, {1});
    own.drain();
    sub.reset();
    b.reset();
    ::_exit(handled == 1 ? 7 : 8);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("fork: an end that waits in the parent holds up no call in the child", "[engine]") {
  bus b;
  support::barrier at;
  std::atomic<bool> first{true};
  auto ending = b.subscribe(numbers, {.on = inline_}, [&](const number&) {
    if (first.exchange(false)) at.pass();
  });
  std::thread publishing([&] { b.publish(numbers, {1}); });
  at.wait_for_visitor();
  std::thread waiting([&] { ending.end(); });
  while (b.publish(numbers, {2}) != publish_status::no_subscribers) std::this_thread::yield();
  const auto ended = support::in_child([] {
    bus own;
    int handled = 0;
    auto mine = own.subscribe(numbers, {.on = inline_}, [&](const number&) { ++handled; });
    own.publish(numbers, {1});
    mine.end();
    ::_exit(handled == 1 ? 7 : 8);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
  at.open();
  waiting.join();
  publishing.join();
}

TEST_CASE("contract: a bus destroyed inside its own handler ends the process with a message", "[engine]") {
  const auto ended = support::in_child([] {
    auto b = std::make_unique<bus>();
    loop here;
    auto sub = b->subscribe(numbers, {.on = here}, [&](const number&) { b.reset(); });
    b->publish(numbers, {1});
    here.run_until_idle();
  });
  CHECK(WIFSIGNALED(ended.status));
  CHECK_THAT(ended.errors, Catch::Contains("destroyed inside a handler"));
}

TEST_CASE("contract: a loop that is run inside its own handler ends the process with a message", "[engine]") {
  const auto ended = support::in_child([] {
    bus b;
    loop here;
    auto sub = b.subscribe(numbers, {.on = here}, [&](const number&) { here.run_once(); });
    b.publish(numbers, {1});
    here.run_once();
  });
  CHECK(WIFSIGNALED(ended.status));
  CHECK_THAT(ended.errors, Catch::Contains("inside a handler of its own"));
}

TEST_CASE("loop: without a descriptor left it is an error with a code", "[engine]") {
  const auto ended = support::in_child([] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    try {
      const loop here;
    } catch (const error& why) {
      ::_exit(why.code() == error_code::out_of_descriptors ? 7 : 8);
    }
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("contract: two handlers that destroy each other's subscriptions are named", "[engine]") {
  const auto ended = support::in_child([] {
    bus b;
    std::optional<subscription> one;
    std::optional<subscription> two;
    support::watched both;
    int inside = 0;
    const auto meet = [&] {
      both.change([&] { ++inside; });
      both.wait([&] { return inside == 2; });
    };
    one = b.subscribe(numbers, {.name = "left", .on = dedicated}, [&](const number&) {
      meet();
      two->end();
    });
    two = b.subscribe(numbers, {.name = "right", .on = dedicated}, [&](const number&) {
      meet();
      one->end();
    });
    b.publish(numbers, {1});
    b.drain(std::chrono::minutes(1));
  });
  CHECK(WIFSIGNALED(ended.status));
  CHECK_THAT(ended.errors, Catch::Contains("left") && Catch::Contains("right") && Catch::Contains("wait for ever"));
}

TEST_CASE("static destruction: a publisher that outlives a static bus answers closed", "[engine]") {
  const auto ended = support::in_child([] {
    struct last_words {
      std::optional<publisher<number>> out;
      ~last_words() { ::_exit(out->publish({1}) == publish_status::closed ? 7 : 8); }
    };
    static last_words speaker;  // destroyed after the bus, which is made later
    static bus b;
    static auto sub = b.subscribe(numbers, [](const number&) {});
    speaker.out.emplace(b.publisher(numbers));
    b.publish(numbers, {1});
    std::exit(0);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}
