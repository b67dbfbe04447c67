#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace amphibus;

namespace {

struct reading {
  int value;
};
constexpr topic<reading> readings{"t.readings"};
struct report {
  int value;
  std::string text;
};
constexpr topic<report> reports{"t.reports"};

constexpr auto is_even = [](const auto& r) { return r.value % 2 == 0; };

}  // namespace

TEST_CASE("filter: who leaves before a block that was begun for it leaves nothing behind", "[engine]") {
  // A multicast's first block has 16 places. The one that filters refuses the 17th message after the block for it was
  // begun, which counts a reader that then goes; or it was begun again, because that reader has read all. What would be
  // left the sanitizer sees.
  const bool has_read = GENERATE(true, false);
  bus b;
  loop here;
  loop not_run;
  auto out = b.publisher(readings);
  auto leaves = b.subscribe(readings, {.on = here}, [](const reading&) {});
  auto refuses = b.subscribe(readings, {.capacity = 16, .on = not_run},
                             filter([](const reading&) { return true; }, [](const reading&) {}));
  for (int i = 0; i != 16; ++i) REQUIRE(out.try_publish({i}) == publish_status::accepted);
  if (has_read) here.run_until_idle();
  CHECK(out.try_publish({16}) == publish_status::would_block);
  leaves.end();
  not_run.run_until_idle();
  CHECK(out.try_publish({17}) == publish_status::accepted);
}

TEST_CASE("filter: only what is wanted is queued, and the rest is counted", "[engine]") {
  bus b;
  loop here;
  std::vector<int> even;
  int all = 0;
  auto some = b.subscribe(readings, {.on = here}, filter(is_even, [&](const reading& r) { even.push_back(r.value); }));
  auto everything = b.subscribe(readings, {.on = here}, [&](const reading&) { ++all; });
  auto out = b.publisher(readings);
  for (int i = 0; i != 10; ++i) CHECK(out.publish({i}) == publish_status::accepted);
  CHECK(some.counters().pending == 5);
  here.run_until_idle();
  CHECK(even == std::vector<int>{0, 2, 4, 6, 8});
  CHECK(all == 10);
  CHECK(some.counters().filtered == 5);
  CHECK(some.counters().handled == 5);
  CHECK(everything.counters().filtered == 0);
  CHECK(b.drain().complete());
}

TEST_CASE("filter: every handler form, messages with memory, patterns, batches of publishes", "[engine]") {
  bus b;
  loop here;
  int plain = 0;
  int with_context = 0;
  int batched = 0;
  int by_pattern = 0;
  std::uint64_t lost = 0;
  auto one = b.subscribe(reports, {.on = here}, filter(is_even, [&](const report&) { ++plain; }));
  auto two = b.subscribe(reports, {.on = here}, filter(is_even, [&](const report&, const context& with) {
                           ++with_context;
                           lost += with.lost_before();
                         }));
  auto three =
      b.subscribe(reports, {.on = here}, filter(is_even, [&](batch<report> all) { batched += int(all.size()); }));
  auto four = b.subscribe(pattern<report>{"t.*"}, {.on = here}, filter(is_even, [&](const report&) { ++by_pattern; }));
  std::vector<report> many(20, report{0, std::string(100, 'x')});
  for (int i = 0; i != 20; ++i) many[std::size_t(i)].value = i;
  auto out = b.publisher(reports);
  CHECK(out.publish_batch(many).accepted_prefix == 20);
  for (int i = 0; i != 20; ++i) b.publish(reports, {i, "y"}, {.key = "with attributes"});
  here.run_until_idle();
  CHECK(plain == 20);
  CHECK(with_context == 20);
  CHECK(batched == 20);
  CHECK(by_pattern == 20);
  CHECK(lost == 0);
  CHECK(four.counters().filtered == 20);
  CHECK(b.memory().used_bytes == 0);
}

TEST_CASE("filter: what is not wanted needs no room", "[engine]") {
  bus b;
  loop nobody_runs;
  auto full = b.subscribe(readings, {.capacity = 2, .overflow = overflow::fail(), .on = nobody_runs},
                          filter(is_even, [](const reading&) {}));
  auto out = b.publisher(readings);
  CHECK(out.publish({0}) == publish_status::accepted);
  CHECK(out.publish({2}) == publish_status::accepted);
  CHECK(out.publish({4}) == publish_status::would_block);
  CHECK(out.publish({5}) == publish_status::accepted);
  CHECK(full.counters().pending == 2);
  CHECK(full.counters().filtered == 1);  // the refused one does not count
}

TEST_CASE("filter: one that throws does not want the message, counts as failed and is told", "[engine]") {
  bus b;
  loop here;
  std::vector<event> failures;
  b.on_event([&](const event& what) { failures.push_back(what); });
  int handled = 0;
  const auto moody = [](const reading& r) { return r.value < 0 ? throw std::runtime_error("no") : true; };
  auto sub = b.subscribe(readings, {.name = "moody", .on = here}, filter(moody, [&](const reading&) { ++handled; }));
  for (const int value : {-1, -2, 3}) CHECK(b.publish(readings, {value}) == publish_status::accepted);
  here.run_until_idle();
  CHECK(handled == 1);
  CHECK(sub.counters().failed == 2);
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].count == 2);
  CHECK(failures[0].text == "its filter threw");
}

TEST_CASE("filter: inline, with lanes, and not in a group", "[engine]") {
  bus b;
  std::atomic<int> called{0};
  auto now = b.subscribe(readings, {.on = inline_}, filter(is_even, [&](const reading&) { ++called; }));
  b.publish(readings, {1});
  b.publish(readings, {2});
  CHECK(called == 1);
  CHECK(now.counters().filtered == 1);
  auto workers = b.pool("workers", {.threads = 2});
  std::atomic<int> in_lanes{0};
  auto lanes =
      b.subscribe(readings, {.on = workers, .concurrency = 2}, filter(is_even, [&](const reading&) { ++in_lanes; }));
  for (int i = 0; i != 100; ++i) b.publish(readings, {i});
  CHECK(b.drain().complete());
  CHECK(in_lanes == 50);
  const auto refused = b.try_subscribe(readings, {.group = "g"}, filter(is_even, [](const reading&) {}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text().find("share one inbox") != std::string::npos);
}

TEST_CASE("filter: condition and handler are destroyed when the subscription's end returns", "[engine]") {
  bus b;
  auto alive = std::make_shared<int>(1);
  std::atomic<bool> over{false};
  std::thread publishing([&] {
    auto out = b.publisher(readings);
    for (int i = 0; !over; ++i) out.publish({i});
  });
  for (int round = 0; round != 200; ++round) {
    auto brief = b.subscribe(
        readings, filter([alive](const reading& r) { return r.value % 3 == *alive; }, [alive](const reading&) {}));
    std::this_thread::yield();
    brief.end();
    REQUIRE(alive.use_count() == 1);
  }
  over = true;
  publishing.join();
}
