#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include <time.h>

#include <amphibus/testing/fault_points.hpp>

using namespace amphibus;
using namespace zeromq_test;

TEST_CASE("zeromq: nothing is lost after readiness, in order, with the context of the publisher", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::uint64_t next = 1;
  bool in_order = true;
  bool context_kept = true;
  auto sub = b.bus.subscribe(numbers, [&](const number& n, const context& with) {
    seen.change([&] {
      in_order = in_order && n.value == next;
      context_kept = context_kept && with.correlation() == with.id() && !with.causation() && with.lost_before() == 0;
      ++next;
    });
  });
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  for (std::uint64_t i = 1; i <= 20'000; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
  seen.wait([&] { return next == 20'001; });
  CHECK(in_order);
  CHECK(context_kept);
}

TEST_CASE("zeromq: more publishers than a route reads from share it, each in its order", "[zeromq]") {
  constexpr std::uint64_t publishers = 24;  // sixteen are read where they write, the others go through the queue
  constexpr std::uint64_t each = 2'000;
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::map<std::uint64_t, std::uint64_t> next;  // by publisher
  std::uint64_t count = 0;
  bool in_order = true;
  auto sub = b.bus.subscribe(numbers, [&](const number& n, const context& with) {
    seen.change([&] {
      in_order = in_order && next[n.value / each]++ == n.value % each && with.lost_before() == 0;
      ++count;
    });
  });
  auto here = a.bus.subscribe(numbers, {.on = dedicated}, [](const number&) {});
  make_ready({&a, &b});
  std::vector<std::thread> threads;
  for (std::uint64_t which = 0; which != publishers; ++which) {
    threads.emplace_back([&, which] {
      auto out = a.bus.publisher(numbers);
      for (std::uint64_t i = 0; i != each; ++i) {
        // Every hundredth has an envelope of its own.
        out.publish({which * each + i}, i % 100 == 7 ? publish_options{.key = "k"} : publish_options{});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  seen.wait([&] { return count == publishers * each; });
  CHECK(in_order);
  CHECK(a.bus.drain().complete());
  CHECK(here.counters().handled == publishers * each);
}

TEST_CASE("zeromq: a subscription that comes and goes gets each source's messages in order", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  watched seen;
  std::uint64_t last = 0;
  std::uint64_t handled = 0;
  bool in_order = true;
  std::atomic<bool> over{false};
  std::thread publishing([&] {
    auto out = a.bus.publisher(numbers);
    for (std::uint64_t i = 1; !over; ++i) out.publish({i});
  });
  for (int round = 0; round != 20; ++round) {
    auto sub = b.bus.subscribe(numbers, [&](const number& n) {
      seen.change([&] {
        in_order = in_order && n.value > last;
        last = n.value;
        ++handled;
      });
    });
    std::uint64_t enough = 0;
    seen.change([&] { enough = handled + 500; });
    seen.wait([&] { return handled >= enough; });
  }
  over = true;
  publishing.join();
  CHECK(in_order);
}

TEST_CASE("zeromq: what came from a peer does not go back, nor on to a third", "[zeromq]") {
  const auto file = file_of(3);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  placed_bus c(file, "c");
  watched seen;
  std::size_t at_a = 0;
  std::size_t at_b = 0;
  std::size_t at_c = 0;
  const auto counter = [&](std::size_t& of) { return [&](const number&) { seen.change([&] { ++of; }); }; };
  auto one = a.bus.subscribe(numbers, counter(at_a));
  auto two = b.bus.subscribe(numbers, counter(at_b));
  auto three = c.bus.subscribe(numbers, counter(at_c));
  make_ready({&a, &b, &c});
  for (std::uint64_t i = 0; i != 100; ++i) a.bus.publish(numbers, {i});
  seen.wait([&] { return at_b == 100 && at_c == 100; });
  // An echo would arrive before these: they follow it on the same way back.
  for (std::uint64_t i = 0; i != 100; ++i) b.bus.publish(numbers, {i});
  for (std::uint64_t i = 0; i != 100; ++i) c.bus.publish(numbers, {i});
  seen.wait([&] { return at_a >= 300 && at_b >= 300 && at_c >= 300; });
  a.bus.drain();
  CHECK(at_a == 300);
  CHECK(at_b == 300);
  CHECK(at_c == 300);
}

TEST_CASE("zeromq: a subscription made after readiness gets what is published after its own confirmation", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  CHECK(out.publish({1}) == publish_status::no_subscribers);
  watched seen;
  std::uint64_t last = 0;
  std::uint64_t gaps = 0;
  auto late = b.bus.subscribe(numbers, [&](const number& n, const context& with) {
    seen.change([&] {
      gaps += last == 0 ? 0 : n.value - last - 1 + with.lost_before();
      last = n.value;
    });
  });
  std::uint64_t i = 2;
  while (out.publish({i}) != publish_status::accepted) ++i;  // the interest is on its way
  const std::uint64_t end = i + 1'000;
  while (i != end) out.publish({++i});
  seen.wait([&] { return last == end; });
  CHECK(gaps == 0);
}

TEST_CASE("zeromq: a message lost behind the publisher's back is a gap and shows in the next context", "[zeromq]") {
  const auto file = file_of(2, config::overflow::drop_newest);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::uint64_t handled = 0;
  std::uint64_t lost = 0;
  auto sub = b.bus.subscribe(numbers, {.capacity = 1U << 20U}, [&](const number&, const context& with) {
    seen.change([&] {
      ++handled;
      lost += with.lost_before();
    });
  });
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  constexpr std::uint64_t count =
      2'000'000;  // far more than the route holds: its overflow drops, and numbers go missing
  for (std::uint64_t i = 0; i != count; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
  a.bus.drain(std::chrono::seconds(30));
  // A last message carries whatever was lost before it; repeat until the sum is complete.
  std::uint64_t published = count;
  for (;;) {
    out.publish({published++});
    a.bus.drain(std::chrono::seconds(30));
    bool complete = false;
    seen.change([&] { complete = handled + lost >= published - 1; });
    if (complete) break;
  }
  const auto dropped = a.bus.counters(numbers).egress_dropped;
  INFO("dropped before they left: " << dropped);
  CHECK(handled + lost <= published);
  CHECK((lost > 0) == (b.count_of(event_kind::gap) > 0));
}

TEST_CASE("zeromq: an oversize message is undeliverable, told, and seen as a gap", "[zeromq]") {
  auto file = file_of(2);
  file.message_size_max_bytes.value = 4;  // a number has 8
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  auto sub = b.bus.subscribe(numbers, [](const number&) {});
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  CHECK(out.publish({1}) == publish_status::accepted);
  const auto told = a.wait_for(event_kind::undeliverable);
  CHECK_THAT(told.text, Catch::Contains("message_size_max_bytes") && Catch::Contains("(4 bytes)"));
  CHECK(b.wait_for(event_kind::gap).count == 1);
}

TEST_CASE("zeromq: the sabotage points lose, duplicate and swap behind the sequence check", "[zeromq]") {
  const auto received = [](base::fault_action action) {
    const auto file = file_of(2);
    testing::fault_points faults;
    faults.arm("zeromq.deliver", action, 10);
    placed_bus a(file, "a");
    placed_bus b(file, "b", {.faults = &faults});
    watched seen;
    std::vector<std::uint64_t> values;
    auto sub = b.bus.subscribe(numbers, [&](const number& n) { seen.change([&] { values.push_back(n.value); }); });
    auto out = a.bus.publisher(numbers);
    make_ready({&a, &b});
    for (std::uint64_t i = 1; i <= 1'005; ++i) out.publish({i});
    seen.wait([&] { return !values.empty() && values.back() == 1'005; });
    CHECK(b.count_of(event_kind::gap) == 0);
    return values;
  };
  CHECK(received(base::fault_action::lose).size() < 1'005);
  CHECK(received(base::fault_action::duplicate).size() > 1'005);
  const auto swapped = received(base::fault_action::swap);
  CHECK_FALSE(std::is_sorted(swapped.begin(), swapped.end()));
}

TEST_CASE("zeromq: a route that is blocked waits without burning a core", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched gate;
  bool open = false;
  auto slow = b.bus.subscribe(numbers, {.capacity = 1024}, [&](const number&) { gate.wait([&] { return open; }); });
  auto out = a.bus.publisher(numbers, {.wait_max = std::chrono::milliseconds(100)});
  make_ready({&a, &b});
  while (out.publish({1}) == publish_status::accepted) {
  }
  const auto cpu_of_this_process = [] {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  base::parker nobody;
  const auto before = cpu_of_this_process();
  nobody.park_until(base::steady_clock().now() + std::chrono::milliseconds(500));
  CHECK(cpu_of_this_process() - before < std::chrono::milliseconds(250));
  gate.change([&] { open = true; });
}

TEST_CASE("zeromq: a subscription that blocks paces the publisher and loses nothing", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched gate;
  bool open = false;
  std::uint64_t handled = 0;
  auto slow = b.bus.subscribe(numbers, {.capacity = 1024}, [&](const number&) {
    gate.wait([&] { return open; });
    gate.change([&] { ++handled; });
  });
  auto out = a.bus.publisher(numbers, {.wait_max = std::chrono::milliseconds(1)});
  make_ready({&a, &b});
  std::uint64_t accepted = 0;
  while (out.publish({accepted}) == publish_status::accepted) ++accepted;  // ends because the route paces
  gate.change([&] { open = true; });
  gate.wait([&] { return handled == accepted; });
  CHECK(b.count_of(event_kind::gap) == 0);
}

TEST_CASE("bus: two processes of a configuration without modules, and a process that is not in it", "[zeromq]") {
  const auto file = file_of(2);
  amphibus::bus front(file, {.process = "a"}, amphibus::transports(amphibus::zeromq::transport()));
  amphibus::bus back(file, {.process = "b"}, amphibus::transports(amphibus::zeromq::transport()));
  watched changes;
  std::vector<std::uint64_t> seen;
  const auto sub =
      back.subscribe(numbers, [&](const number& each) { changes.change([&] { seen.push_back(each.value); }); });
  std::thread other([&] { back.wait_until_ready(std::chrono::seconds(30)); });
  front.wait_until_ready(std::chrono::seconds(30));
  other.join();
  for (std::uint64_t i = 0; i != 3; ++i) CHECK(front.publish(numbers, {i}) == amphibus::publish_status::accepted);
  changes.wait([&] { return seen.size() == 3; });
  CHECK(seen == std::vector<std::uint64_t>{0, 1, 2});
  CHECK(front.close().complete());
  CHECK(front.bytes().sent_bytes > 0);
  CHECK_THROWS_WITH(amphibus::bus(file, {.process = "c"}, {}), Catch::Contains("--process 'c' is not in the file"));
}

TEST_CASE("zeromq: key, headers and a correlation of one's own arrive as they were given", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::vector<std::string> texts;
  std::vector<message_id> conversations;
  auto sub = b.bus.subscribe(numbers, [&](const number&, const context& with) {
    seen.change([&] {
      texts.push_back(std::string(with.key()) + "/" + std::string(with.header("tenant").value_or("-")));
      conversations.push_back(with.correlation());
    });
  });
  make_ready({&a, &b});
  const message_id conversation{{1, 2}, 3};
  a.bus.publish(numbers, {1});
  a.bus.publish(numbers, {2}, {.key = "k", .headers = {{"tenant", "größe"}}});
  a.bus.publish(numbers, {3}, {.headers = {{"tenant", std::string(4000, 'x')}}, .correlation = conversation});
  a.bus.publish(numbers, {4});
  seen.wait([&] { return texts.size() == 4; });
  CHECK(texts == std::vector<std::string>{"/-", "k/größe", "/" + std::string(4000, 'x'), "/-"});
  CHECK(conversations[2] == conversation);
}

TEST_CASE("zeromq: an inline_ subscription gets remote messages on the serial executor, and its end is an end",
          "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::vector<std::uint64_t> values;
  std::set<std::thread::id> threads;
  auto sub = b.bus.subscribe(numbers, {.on = amphibus::inline_}, [&](const number& n) {
    seen.change([&] {
      values.push_back(n.value);
      threads.insert(std::this_thread::get_id());
    });
  });
  make_ready({&a, &b});
  a.bus.publish(numbers, {1});
  seen.wait([&] { return values.size() == 1; });
  b.bus.publish(numbers, {2});
  CHECK(values == std::vector<std::uint64_t>{1, 2});
  CHECK(threads.size() == 2);
  CHECK(sub.counters().handled == 2);
  sub.end();
  b.bus.publish(numbers, {3});
  CHECK(values.size() == 2);
}
