#include <amphibus/bus.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <coroutine>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

#include "support/watched.hpp"

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

constexpr topic<int> numbers{"c.numbers"};
constexpr topic<int> others{"c.others"};
constexpr topic<int> results{"c.results"};

/// What a coroutine got, for the thread of the test.
struct record {
  support::watched changed;
  std::vector<int> got;
  std::vector<std::thread::id> threads;
  bool over = false;

  void add(int number) {
    changed.change([&] {
      got.push_back(number);
      threads.push_back(std::this_thread::get_id());
    });
  }
  void finish() {
    changed.change([&] { over = true; });
  }
  std::size_t size() {
    std::size_t out = 0;
    changed.change([&] { out = got.size(); });
    return out;
  }
  void wait_for(std::size_t count) {
    changed.wait([&] { return got.size() >= count; });
  }
  void wait_until_over() {
    changed.wait([&] { return over; });
  }
};

std::vector<int> up_to(int count) {
  std::vector<int> out;
  for (int i = 0; i != count; ++i) out.push_back(i);
  return out;
}

task read_all(receiver<int> in, record& to) {
  while (const auto next = co_await in.next()) to.add(**next);
  to.finish();
}

/// A coroutine that nobody owns, as users have them: it dies at its end.
struct detached {
  struct promise_type {
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
};

detached read_detached(receiver<int>& in, record& to) {
  while (const auto next = co_await in.next()) to.add(**next);
  to.finish();
}

/// Says when it is destroyed.
struct alive {
  explicit alive(std::atomic<int>& of) : count(of) { ++count; }
  alive(const alive&) = delete;
  ~alive() { --count; }
  std::atomic<int>& count;
};

}  // namespace

TEST_CASE("coroutine: it gets every message in order, on the executor of its receiver", "[engine]") {
  bus b;
  loop here;
  const auto which = GENERATE(0, 1, 2, 3);
  const executor_choice on = which == 0   ? executor_choice(serial)
                             : which == 1 ? executor_choice(dedicated)
                             : which == 2 ? executor_choice(b.pool("workers", {.threads = 2}))
                                          : executor_choice(here);
  record to;
  auto out = b.publisher(numbers);
  const auto reading = read_all(b.receiver(numbers, {.name = "reader", .on = on}), to);
  for (int i = 0; i != 2'000; ++i) {
    out.publish(i);
    if (which == 3) here.run_once();
  }
  if (which == 3) here.run_until_idle();
  CHECK(b.drain().complete());
  CHECK(to.got == up_to(2'000));
  for (const auto each : to.threads) CHECK((each == std::this_thread::get_id()) == (which == 3));
  CHECK_FALSE(reading.finished());
  b.close();
  if (which == 3) here.run_until_idle();
  to.wait_until_over();
  CHECK(reading.finished());
}

TEST_CASE("coroutine: what was published before it began to wait is there, on its executor", "[engine]") {
  bus b;
  auto in = b.receiver(numbers);
  for (int i = 0; i != 100; ++i) b.publish(numbers, i);
  record to;
  const auto reading = read_all(std::move(in), to);
  to.wait_for(100);
  CHECK(to.got == up_to(100));
  CHECK(to.threads.front() != std::this_thread::get_id());
}

TEST_CASE("coroutine: close() lets it read what is there and then tells it", "[engine]") {
  bus b;
  record to;
  const auto reading = read_all(b.receiver(numbers), to);
  for (int i = 0; i != 1'000; ++i) b.publish(numbers, i);
  CHECK(b.close().complete());
  CHECK(reading.finished());
  CHECK(to.got == up_to(1'000));
}

TEST_CASE("coroutine: one that waits on a loop hears of the end when the loop is run, or is destroyed", "[engine]") {
  bus b;
  record to;
  auto in = b.receiver(numbers, {.on = serial});
  auto here = std::make_unique<loop>();
  auto reading = read_all(b.receiver(numbers, {.on = *here}), to);
  b.close();
  SECTION("run") {
    here->run_until_idle();
    CHECK(reading.finished());
  }
  SECTION("destroyed") {
    here.reset();
    CHECK(reading.finished());
  }
}

TEST_CASE("coroutine: a deadline ends the wait without a message, and the next wait is as good", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  record to;
  const auto run = [](receiver<int> in, record& into) -> task {
    for (;;) {
      const auto next = co_await in.next(10ms);
      into.add(next ? **next : -1);
    }
  };
  const auto running = run(b.receiver(numbers), to);
  const auto advance_until = [&](std::size_t size) {
    while (to.size() < size) {
      time.advance(1ms);
      std::this_thread::yield();
    }
  };
  advance_until(20);
  b.publish(numbers, 7);
  to.changed.wait([&] { return to.got.back() == 7; });
  advance_until(to.size() + 1);
  to.changed.wait([&] { return to.got.back() == -1; });
}

TEST_CASE("coroutine: a stop ends the wait, and a message that came stays for the next", "[engine]") {
  bus b;
  record to;
  std::stop_source stop;
  const auto run = [](receiver<int> in, std::stop_token until, record& into) -> task {
    const auto none = co_await in.next(until);
    into.add(none ? **none : -1);
    const auto still_none = co_await in.next(until);
    into.add(still_none ? **still_none : -2);
    const auto one = co_await in.next();
    into.add(one ? **one : -3);
  };
  const auto running = run(b.receiver(numbers), stop.get_token(), to);
  SECTION("while it waits") { stop.request_stop(); }
  SECTION("from another thread") {
    std::thread([&] { stop.request_stop(); }).join();
  }
  to.wait_for(2);
  b.publish(numbers, 5);
  to.wait_for(3);
  CHECK(to.got == std::vector{-1, -2, 5});
}

TEST_CASE("coroutine: the end of its receiver elsewhere lets it go on without a message", "[engine]") {
  record to;  // the end of the bus waits for who is still in it
  bus b;
  auto in = std::make_unique<receiver<int>>(b.receiver(numbers));
  read_detached(*in, to);
  b.publish(numbers, 1);
  to.wait_for(1);
  in->end();
  to.wait_until_over();
  CHECK(to.got == std::vector{1});
}

TEST_CASE("coroutine: the end of a task that waits destroys everything in it", "[engine]") {
  bus b;
  std::atomic<int> living{0};
  const auto run = [](receiver<int> in, std::atomic<int>& count) -> task {
    const alive here(count);
    while (const auto next = co_await in.next()) {
    }
  };
  {
    auto waiting = run(b.receiver(numbers), living);
    CHECK(living == 1);
    waiting.end();
    CHECK(living == 0);
    waiting.end();
    CHECK_FALSE(waiting.finished());
  }
  auto assigned = run(b.receiver(numbers), living);
  assigned = run(b.receiver(numbers), living);
  CHECK(living == 1);
  auto moved = std::move(assigned);
  CHECK(living == 1);
  CHECK(b.publish(numbers, 1) == publish_status::accepted);
  CHECK(b.drain().complete());
}

TEST_CASE("coroutine: the end of a task that runs waits until it is suspended, and nothing further runs", "[engine]") {
  bus b;
  support::barrier gate;
  std::atomic<int> count{0};
  std::atomic<int> living{0};
  const auto run = [](receiver<int> in, support::barrier& at, std::atomic<int>& got, std::atomic<int>& of) -> task {
    const alive here(of);
    while (const auto next = co_await in.next()) {
      ++got;
      at.pass();
    }
  };
  auto running = run(b.receiver(numbers), gate, count, living);
  for (int i = 0; i != 100; ++i) b.publish(numbers, i);
  gate.wait_for_visitor();
  std::atomic<bool> ended{false};
  std::thread ending([&] {
    running.end();
    ended = true;
  });
  for (int i = 0; i != 100; ++i) std::this_thread::yield();
  CHECK_FALSE(ended.load());
  gate.open();
  ending.join();
  CHECK(living == 0);
  const int at_end = count.load();
  CHECK(at_end >= 1);
  CHECK(b.publish(numbers, 0) == publish_status::no_subscribers);
  CHECK(count.load() == at_end);
}

TEST_CASE("coroutine: a task that ends itself is gone at its next wait", "[engine]") {
  bus b;
  std::atomic<int> living{0};
  struct holder {
    std::optional<task> own;
  } held;
  record to;
  const auto run = [](receiver<int> in, holder& of, std::atomic<int>& count, record& into) -> task {
    const alive here(count);
    while (const auto next = co_await in.next()) {
      if (**next == 2) of.own.reset();
      into.add(**next);
    }
    into.finish();
  };
  held.own.emplace(run(b.receiver(numbers), held, living, to));
  for (int i = 1; i != 5; ++i) b.publish(numbers, i);
  while (living != 0) std::this_thread::yield();
  CHECK(to.got == std::vector{1, 2});
  CHECK_FALSE(to.over);
}

TEST_CASE("coroutine: what it publishes is caused by the message that it awaited last", "[engine]") {
  bus b;
  struct seen {
    int number;
    message_id correlation;
    message_id causation;
  };
  std::vector<seen> all;
  support::watched changed;
  auto collecting = b.subscribe(results, [&](const int& number, const context& with) {
    changed.change([&] { all.push_back({number, with.correlation(), with.causation()}); });
  });
  std::vector<message_id> ids;
  auto listening = b.subscribe(numbers, [&](const int&, const context& with) { ids.push_back(with.id()); });
  std::vector<message_id> other_ids;
  auto also = b.subscribe(others, [&](const int&, const context& with) { other_ids.push_back(with.id()); });
  const auto run = [](bus& on, receiver<int> in, receiver<int> second) -> task {
    on.publish(results, 0);  // nothing is its cause
    { const auto first = co_await in.next(); }
    on.publish(results, 1);  // the message is gone, what it caused is not
    const auto other = co_await second.next();
    on.publish(results, 2);
    const auto none = co_await in.next(1ms);
    on.publish(results, none ? -1 : 3);  // as before the wait
  };
  const auto running = run(b, b.receiver(numbers), b.receiver(others));
  b.publish(numbers, 1, {.key = "pooled"});
  b.publish(others, 2);
  changed.wait([&] { return all.size() == 4; });
  CHECK(b.drain().complete());
  // Two receivers, two sources: no order between them.
  std::sort(all.begin(), all.end(), [](const seen& x, const seen& y) { return x.number < y.number; });
  CHECK_FALSE(all[0].causation);
  CHECK(all[1].number == 1);
  CHECK(all[1].causation == ids.at(0));
  CHECK(all[1].correlation == ids.at(0));
  CHECK(all[2].causation == other_ids.at(0));
  CHECK(all[3].number == 3);
  CHECK(all[3].causation == other_ids.at(0));
}

TEST_CASE("coroutine: it never waits for room; what it published goes first, then it goes on", "[engine]") {
  bus b;
  loop here;
  loop slow;
  std::vector<int> got;
  auto sink = b.subscribe(results, {.capacity = 1, .on = slow}, [&](const int& each) { got.push_back(each); });
  const auto run = [](bus& on, receiver<int> in) -> task {
    while (const auto next = co_await in.next()) {
      on.publish(results, **next);
      on.publish(results, **next + 100);
    }
  };
  const auto running = run(b, b.receiver(numbers, {.on = here}));
  for (int i = 0; i != 3; ++i) b.publish(numbers, i);
  here.run_until_idle();
  CHECK(got.empty());
  for (int i = 0; i != 20; ++i) {
    slow.run_once();
    here.run_once();
  }
  CHECK(got == std::vector{0, 100, 1, 101, 2, 102});
}

TEST_CASE("coroutine: others on its executor have their turn", "[engine]") {
  bus b;
  loop here;
  std::vector<int> order;
  auto beside = b.subscribe(others, {.on = here}, [&](const int& each) { order.push_back(each); });
  const auto run = [](receiver<int> in, std::vector<int>& to) -> task {
    while (const auto next = co_await in.next()) to.push_back(**next);
  };
  const auto running = run(b.receiver(numbers, {.on = here}), order);
  for (int i = 0; i != 1'000; ++i) b.publish(numbers, i);
  b.publish(others, -1);
  here.run_until_idle();
  REQUIRE(order.size() == 1'001);
  const auto other = std::find(order.begin(), order.end(), -1);
  CHECK(other - order.begin() <= 512);
}

TEST_CASE("coroutine: an exception ends it and is kept; after the first wait an event tells too", "[engine]") {
  bus b;
  std::string told;
  support::watched changed;
  b.on_event([&](const event& what) {
    if (what.kind == event_kind::handler_failed) changed.change([&] { told = to_string(what); });
  });
  std::atomic<int> living{0};
  const auto run = [](receiver<int> in, bool at_once, std::atomic<int>& count) -> task {
    const alive here(count);
    if (at_once) throw std::runtime_error("too early");
    const auto next = co_await in.next();
    throw std::runtime_error("no such order");
  };
  const auto early = run(b.receiver(numbers), true, living);
  CHECK(early.finished());
  CHECK_THROWS_WITH(std::rethrow_exception(early.failure()), "too early");
  CHECK(living == 0);
  const auto running = run(b.receiver(numbers, {.name = "reader"}), false, living);
  b.publish(numbers, 1);
  changed.wait([&] { return !told.empty(); });
  CHECK_THAT(told, Catch::Contains("no such order") && Catch::Contains("reader"));
  while (!running.finished()) std::this_thread::yield();
  CHECK(living == 0);
}

TEST_CASE("coroutine: what has expired is not handed out", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  loop here;
  std::vector<int> got;
  const auto run = [](receiver<int> in, std::vector<int>& to) -> task {
    while (const auto next = co_await in.next()) to.push_back(**next);
  };
  const auto running = run(b.receiver(numbers, {.on = here}), got);
  b.publish(numbers, 1, {.deadline = 5ms});
  b.publish(numbers, 2);
  b.publish(numbers, 3, {.deadline = 5ms});
  time.advance(10ms);
  here.run_until_idle();
  CHECK(got == std::vector{2});
  CHECK(b.drain(0s).complete());
}

TEST_CASE("coroutine: a thread may pull from the same receiver between two of its waits", "[engine]") {
  bus b;
  auto in = b.receiver(numbers);
  for (int round = 0; round != 50; ++round) {
    record to;
    const auto run = [](receiver<int>& from, record& into) -> task {
      const auto next = co_await from.next();
      into.add(**next);
    };
    const auto running = run(in, to);
    b.publish(numbers, round);
    to.wait_for(1);
    CHECK(to.got.front() == round);
    while (!running.finished()) std::this_thread::yield();
    std::thread later([&] { b.publish(numbers, 100 + round); });
    const auto pulled = in.next_for(10s);
    later.join();
    REQUIRE(pulled);
    CHECK(**pulled == 100 + round);
  }
}

TEST_CASE("coroutine: options that a receiver has no use for are refused", "[engine]") {
  bus b;
  const auto code_of = [&](const subscription_options& with) {
    try {
      auto in = b.receiver(numbers, with);
    } catch (const error& why) {
      return why.code();
    }
    return error_code{};
  };
  CHECK(code_of({.on = inline_}) == error_code::bad_option);
  CHECK(code_of({.group = "g"}) == error_code::bad_option);
  CHECK(code_of({.capacity = 0, .on = dedicated}) == error_code::bad_option);
  b.close();
  CHECK(code_of({.on = dedicated}) == error_code::bus_closed);
}

TEST_CASE("coroutine: a pipeline of several under load loses nothing and keeps the order", "[engine]") {
  constexpr int count = 20'000;
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  const auto stage = [](receiver<int> in, publisher<int> out, int add) -> task {
    while (const auto next = co_await in.next()) {
      while (out.publish(**next + add) == publish_status::would_block) {
      }
    }
  };
  const auto first = stage(b.receiver(numbers, {.capacity = 64, .on = workers}), b.publisher(others), 1);
  const auto second = stage(b.receiver(others, {.capacity = 64, .on = workers}), b.publisher(results), 2);
  record to;
  const auto last = read_all(b.receiver(results, {.capacity = 64, .on = workers}), to);
  auto out = b.publisher(numbers);
  for (int i = 0; i != count; ++i) {
    while (out.publish(i) != publish_status::accepted) {
    }
  }
  to.wait_for(count);
  for (int i = 0; i != count; ++i) REQUIRE(to.got[static_cast<std::size_t>(i)] == i + 3);
}

TEST_CASE("coroutine: tasks that end under load, while messages, deadlines and stops come, end cleanly", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  std::atomic<bool> over{false};
  std::atomic<int> living{0};
  std::thread publishing([&] {
    auto out = b.publisher(numbers, {.wait_max = 0ms});
    for (int i = 0; !over; ++i) {
      static_cast<void>(out.publish(i));
      if (i % 16 == 0) std::this_thread::yield();
    }
  });
  const auto run = [](receiver<int> in, std::stop_token stop, std::atomic<int>& count) -> task {
    const alive here(count);
    for (;;) {
      const auto next = co_await in.next(20us, stop);
      if (!next && stop.stop_requested()) co_return;
    }
  };
  for (int round = 0; round != 300; ++round) {
    std::stop_source stop;
    std::vector<task> tasks;
    const executor_choice on = round % 3 == 0 ? executor_choice(serial) : executor_choice(workers);
    for (int i = 0; i != 3; ++i) tasks.push_back(run(b.receiver(numbers, {.on = on}), stop.get_token(), living));
    for (int i = 0; i != round % 20; ++i) std::this_thread::yield();
    if (round % 2 == 0) stop.request_stop();
  }
  over = true;
  publishing.join();
  CHECK(living == 0);
}

TEST_CASE("coroutine: the end of a task returns when everything in it is destroyed, whoever destroys it", "[engine]") {
  bus b;
  support::barrier running_gate;
  support::barrier dying_gate;
  std::atomic<bool> destroyed{false};
  struct slow {
    support::barrier& at;
    std::atomic<bool>& over;
    ~slow() {
      at.pass();
      over = true;
    }
  };
  const auto run = [](receiver<int> in, support::barrier& at, support::barrier& dies, std::atomic<bool>& over) -> task {
    const slow here{dies, over};
    while (const auto next = co_await in.next()) at.pass();
  };
  auto running = run(b.receiver(numbers), running_gate, dying_gate, destroyed);
  b.publish(numbers, 1);
  running_gate.wait_for_visitor();
  std::atomic<bool> returned{false};
  std::thread ending([&] {
    running.end();
    returned = true;
  });
  running_gate.open();
  dying_gate.wait_for_visitor();
  for (int i = 0; i != 200; ++i) std::this_thread::yield();
  CHECK_FALSE(returned.load());
  dying_gate.open();
  ending.join();
  CHECK(destroyed.load());
}

TEST_CASE("coroutine: one that has returned holds nothing, its receiver included", "[engine]") {
  bus b;
  const auto one = [](receiver<int> in) -> task { const auto next = co_await in.next(); };
  const auto none = [](receiver<int>) -> task { co_return; };
  const auto at_once = none(b.receiver(numbers));
  CHECK(at_once.finished());
  CHECK(b.publish(numbers, 0) == publish_status::no_subscribers);
  const auto later = one(b.receiver(numbers));
  CHECK(b.publish(numbers, 1) == publish_status::accepted);
  while (b.publish(numbers, 2) != publish_status::no_subscribers) std::this_thread::yield();
  CHECK(later.finished());
  CHECK(b.drain().complete());
}

TEST_CASE("coroutine: its end while it holds back what it published keeps nobody busy", "[engine]") {
  bus b;
  loop here;
  loop slow;
  std::vector<int> got;
  auto sink = b.subscribe(results, {.capacity = 1, .on = slow}, [&](const int& each) { got.push_back(each); });
  const auto run = [](bus& on, receiver<int> in) -> task {
    while (const auto next = co_await in.next()) {
      on.publish(results, **next);
      on.publish(results, **next + 100);
    }
  };
  auto running = run(b, b.receiver(numbers, {.on = here}));
  b.publish(numbers, 1);
  here.run_until_idle();
  running.end();
  here.run_until_idle();
  for (int i = 0; i != 3; ++i) CHECK(here.run_once() == 0);
  pollfd watched{here.fd(), POLLIN, 0};
  CHECK(::poll(&watched, 1, 0) == 0);
  slow.run_until_idle();
  here.run_until_idle();
  slow.run_until_idle();
  CHECK(got == std::vector{1, 101});
}

TEST_CASE("coroutine: a message of another bus is no cause", "[engine]") {
  bus one;
  bus other;
  support::watched changed;
  std::optional<message_id> cause;
  auto listening = other.subscribe(
      results, [&](const int&, const context& with) { changed.change([&] { cause = with.causation(); }); });
  const auto run = [](bus& on, receiver<int> in, receiver<int> there) -> task {
    const auto first = co_await in.next();
    const auto none = co_await there.next(1ms);
    on.publish(results, 1);
  };
  const auto running = run(other, one.receiver(numbers), other.receiver(numbers));
  one.publish(numbers, 1);
  changed.wait([&] { return cause.has_value(); });
  CHECK_FALSE(*cause);
}

TEST_CASE("coroutine: published to at the very moment of its first wait, it is in one place at a time", "[engine]") {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  std::thread publishing([&] {
    auto out = b.publisher(numbers);
    auto also = b.publisher(others);
    for (int i = 0; i != 2'000; ++i) {
      while (out.publish(i) == publish_status::no_subscribers) std::this_thread::yield();
      also.publish(i);
    }
  });
  std::atomic<int> count{0};
  const auto run = [](receiver<int> in, receiver<int> second, std::atomic<int>& got) -> task {
    while (got < 1'000) {  // each is busy elsewhere while the other one waits
      const auto one = co_await in.next(1ms);
      if (one) ++got;
      const auto two = co_await second.next(1ms);
    }
  };
  const auto running = run(b.receiver(numbers, {.on = workers}), b.receiver(others, {.on = workers}), count);
  while (count < 1'000) std::this_thread::yield();
  while (!running.finished()) std::this_thread::yield();
  auto rest = b.subscribe(numbers, [](const int&) {});
  publishing.join();
}
