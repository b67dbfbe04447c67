#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};

}  // namespace

TEST_CASE("on_writable: called once after each refusal, when there is room again", "[engine]") {
  loop serial_loop;
  loop here;
  bus b({.on = serial_loop});
  auto sub = b.subscribe(numbers, {.capacity = 4, .on = here}, [](const number&) {});
  auto out = b.publisher(numbers);
  int called = 0;
  out.on_writable([&] { ++called; });
  for (int i = 0; i != 4; ++i) CHECK(out.try_publish({i}) == publish_status::accepted);
  serial_loop.run_until_idle();
  CHECK(called == 0);
  CHECK(out.try_publish({4}) == publish_status::would_block);
  CHECK(out.try_publish({4}) == publish_status::would_block);
  here.run_until_idle();
  serial_loop.run_until_idle();
  CHECK(called == 1);
  CHECK(out.try_publish({4}) == publish_status::accepted);
  here.run_until_idle();
  serial_loop.run_until_idle();
  CHECK(called == 1);
  for (int i = 0; i != 4; ++i) CHECK(out.try_publish({i}) == publish_status::accepted);
  CHECK(out.try_publish({4}) == publish_status::would_block);
  here.run_until_idle();
  serial_loop.run_until_idle();
  CHECK(called == 2);
}

TEST_CASE("on_writable: a publisher that never waits sends everything by it", "[engine]") {
  bus b;
  std::atomic<int> handled{0};
  auto sub = b.subscribe(numbers, {.capacity = 8, .on = dedicated}, [&](const number&) { ++handled; });
  support::watched room;
  bool writable = false;
  auto out = b.publisher(numbers);  // ends before what its callback uses
  out.on_writable([&] { room.change([&] { writable = true; }); });
  constexpr int count = 20'000;
  for (int i = 0; i != count;) {
    if (out.try_publish({i}) == publish_status::accepted) {
      ++i;
    } else {
      room.wait([&] { return std::exchange(writable, false); });
    }
  }
  CHECK(b.drain().complete());
  CHECK(handled == count);
}

TEST_CASE("on_writable: its exception is told, replacing and ending are safe, also inside it", "[engine]") {
  loop serial_loop;
  loop here;
  bus b({.on = serial_loop});
  auto sub = b.subscribe(numbers, {.capacity = 1, .on = here}, [](const number&) {});
  std::string told;
  b.on_event([&](const event& what) { told = what.text; });
  std::optional<publisher<number>> out = b.publisher(numbers);
  const auto refuse_once = [&] {
    static_cast<void>(out->try_publish({1}));
    CHECK(out->try_publish({2}) == publish_status::would_block);
    here.run_until_idle();
  };
  out->on_writable([] { throw std::runtime_error("not now"); });
  refuse_once();
  serial_loop.run_until_idle();
  CHECK(told == "not now");
  int called = 0;
  out->on_writable([&] {
    ++called;
    out.reset();
  });
  refuse_once();
  serial_loop.run_until_idle();
  CHECK(called == 1);
  CHECK_FALSE(out);
}

TEST_CASE("on_writable: what it publishes is a first message", "[engine]") {
  loop serial_loop;
  loop here;
  bus b({.on = serial_loop});
  bool first = false;
  auto sub = b.subscribe(numbers, {.capacity = 1, .on = here}, [&](const number&, const context& with) {
    first = with.correlation() == with.id() && !with.causation();
  });
  auto out = b.publisher(numbers);
  out.on_writable([&] { CHECK(b.publish(numbers, {3}) == publish_status::accepted); });
  static_cast<void>(out.try_publish({1}));
  CHECK(out.try_publish({2}) == publish_status::would_block);
  here.run_until_idle();
  first = false;
  serial_loop.run_until_idle();
  here.run_until_idle();
  CHECK(first);
}
