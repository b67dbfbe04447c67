#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

#include <poll.h>

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> first{"t.first"};
constexpr topic<number> second{"t.second"};

bool readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

}  // namespace

TEST_CASE("serial: handlers of one bus never overlap", "[engine]") {
  bus b;
  int unprotected = 0;
  auto one = b.subscribe(first, [&](const number&) { ++unprotected; });
  auto two = b.subscribe(second, [&](const number&) { ++unprotected; });
  std::thread other([&] {
    for (int i = 0; i != 5'000; ++i) b.publish(second, {i});
  });
  for (int i = 0; i != 5'000; ++i) b.publish(first, {i});
  other.join();
  CHECK(b.drain().complete());
  CHECK(unprotected == 10'000);
}

TEST_CASE("dedicated: each subscription has a thread of its own, which ends with it", "[engine]") {
  bus b;
  std::thread::id one_thread;
  std::thread::id two_thread;
  {
    auto one = b.subscribe(first, {.on = dedicated}, [&](const number&) { one_thread = std::this_thread::get_id(); });
    auto two = b.subscribe(first, {.on = dedicated}, [&](const number&) { two_thread = std::this_thread::get_id(); });
    b.publish(first, {1});
    CHECK(b.drain().complete());
  }
  CHECK(one_thread != two_thread);
  CHECK(one_thread != std::this_thread::get_id());
}

TEST_CASE("loop: handlers run on the thread that runs it, and its descriptor is level-triggered", "[engine]") {
  bus b;
  loop here;
  std::set<std::thread::id> threads;
  auto sub = b.subscribe(first, {.on = here}, [&](const number&) { threads.insert(std::this_thread::get_id()); });
  here.run_until_idle();
  CHECK_FALSE(readable(here.fd()));
  for (int i = 0; i != 300; ++i) b.publish(first, {i});
  CHECK(readable(here.fd()));
  CHECK(readable(here.fd()));
  CHECK(here.run_once() == 256);
  CHECK(readable(here.fd()));
  CHECK(here.run_until_idle() == 44);
  CHECK_FALSE(readable(here.fd()));
  CHECK(threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST_CASE("loop: it may end before its subscription", "[engine]") {
  bus b;
  auto here = std::make_unique<loop>();
  auto sub = b.subscribe(first, {.on = *here}, [](const number&) {});
  b.publish(first, {1});
  here.reset();
  b.publish(first, {2});
  sub.end();
}
