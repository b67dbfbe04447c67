#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> others{"t.others"};

[[noreturn]] void fail(const number&) { throw std::runtime_error("not this one"); }

}  // namespace

TEST_CASE("on_event: a callback that replaces itself lives until it returns", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(numbers, {.on = here}, fail);
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> callable = owned;
  bool alive_inside = false;
  int later = 0;
  b.on_event([&, owned = std::move(owned)](const event&) {
    b.on_event([&](const event&) { ++later; });
    alive_inside = !callable.expired() && *owned == 1;
  });
  b.publish(numbers, {1});
  b.publish(numbers, {2});
  here.run_until_idle();
  CHECK(alive_inside);
  CHECK(callable.expired());
  CHECK(later == 1);
}

TEST_CASE("on_event: replaced from another thread, the one before has returned and is destroyed", "[engine]") {
  bus b;
  auto sub = b.subscribe(numbers, fail);
  support::barrier at;
  std::atomic<bool> returned{false};
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> callable = owned;
  b.on_event([&, owned = std::move(owned)](const event&) {
    at.pass();
    returned = true;
  });
  b.publish(numbers, {1});
  at.wait_for_visitor();
  std::thread opener([&] { at.open(); });
  b.on_event([](const event&) {});
  CHECK(returned);
  opener.join();
  CHECK(b.drain().complete());
  CHECK(callable.expired());
}

TEST_CASE("on_event: what it throws goes no further, and the log gets its line all the same", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(numbers, {.on = here}, fail);
  std::string line;
  b.on_event([](const event&) { throw std::runtime_error("out of paper"); });
  b.on_log([&](std::string_view text) { line = text; });
  b.publish(numbers, {1});
  here.run_until_idle();
  CHECK_THAT(line, Catch::Contains("handler_failed") && Catch::Contains("not this one"));
  CHECK(sub.counters().failed == 1);
}

TEST_CASE("on_event: a publish inside never waits, and subscribing is allowed", "[engine]") {
  bus b;
  loop here;
  auto failing = b.subscribe(numbers, {.on = here}, fail);
  auto full = b.subscribe(others, {.capacity = 1, .overflow = overflow::block(std::chrono::hours(1)), .on = here},
                          [](const number&) {});
  publish_status first{};
  publish_status second{};
  subscription late;
  b.on_event([&](const event&) {
    first = b.publish(others, {1});
    second = b.publish(others, {2});
    late = b.subscribe(numbers, [](const number&) {});
  });
  b.publish(numbers, {1});
  here.run_once();
  CHECK(first == publish_status::accepted);
  CHECK(second == publish_status::would_block);
  CHECK(late);
}
