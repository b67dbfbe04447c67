#include <amphibus/bus.hpp>
#include <amphibus/posting_executor.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

constexpr topic<int> numbers{"q.numbers"};
constexpr topic<int> results{"q.results"};

/// Somebody's executor: a queue of turns, and as many threads as run it.
class their_executor {
 public:
  void post(turn next) {
    {
      const std::lock_guard lock(mutex_);
      turns_.push_back(std::move(next));
    }
    changed_.notify_one();
  }
  /// Runs one on this thread. Returns: false if there is none.
  bool run_one() {
    std::unique_lock lock(mutex_);
    if (turns_.empty()) return false;
    turn next = std::move(turns_.front());
    turns_.pop_front();
    lock.unlock();
    next();
    return true;
  }
  void run_until(const std::atomic<bool>& over) {
    while (!over) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return over || !turns_.empty(); });
      }
      run_one();
    }
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<turn> turns_;
};

}  // namespace

TEST_CASE("posting: handlers run where their turns are run, in order", "[engine]") {
  their_executor theirs;
  const posting_executor there([&](turn next) { theirs.post(std::move(next)); });
  bus b;
  std::vector<int> got;
  auto sub = b.subscribe(numbers, {.on = there}, [&](const int& each) { got.push_back(each); });
  CHECK_FALSE(theirs.run_one());
  for (int i = 0; i != 600; ++i) b.publish(numbers, i);
  CHECK(got.empty());
  int turns = 0;
  while (theirs.run_one()) ++turns;
  CHECK(turns >= 3);  // others have their turn in between
  REQUIRE(got.size() == 600);
  CHECK(std::is_sorted(got.begin(), got.end()));
  b.publish(numbers, 600);
  CHECK(theirs.run_one());
  CHECK(got.back() == 600);
  CHECK(b.drain(0s).complete());
}

TEST_CASE("posting: many threads, many subscriptions: none overlaps, nothing is lost", "[engine]") {
  their_executor theirs;
  const posting_executor there([&](turn next) { theirs.post(std::move(next)); });
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i != 3; ++i) threads.emplace_back([&] { theirs.run_until(over); });
  {
    bus b;
    struct watch {
      std::atomic<int> inside{0};
      int next = 0;
      bool good = true;
    };
    std::vector<std::unique_ptr<watch>> watches;
    std::vector<subscription> subs;
    for (int i = 0; i != 10; ++i) {
      watch& own = *watches.emplace_back(std::make_unique<watch>());
      subs.push_back(b.subscribe(numbers, {.capacity = 128, .on = there}, [&own](const int& each) {
        own.good = own.good && own.inside.fetch_add(1) == 0 && each == own.next++;
        own.inside.fetch_sub(1);
      }));
    }
    auto out = b.publisher(numbers);
    for (int i = 0; i != 20'000; ++i) REQUIRE(out.publish(i) == publish_status::accepted);
    CHECK(b.drain().complete());
    for (const auto& each : watches) CHECK((each->good && each->next == 20'000));
  }
  over = true;
  theirs.wake();
  for (auto& each : threads) each.join();
}

TEST_CASE("posting: what handlers hold back is placed when there is room, or given up at its deadline", "[engine]") {
  testing::manual_clock time;
  bus b({.clock = &time});
  their_executor theirs;
  const posting_executor there([&](turn next) { theirs.post(std::move(next)); });
  loop slow;
  std::vector<int> got;
  auto sink = b.subscribe(results, {.capacity = 1, .overflow = overflow::block(1s), .on = slow},
                          [&](const int& each) { got.push_back(each); });
  auto sub = b.subscribe(numbers, {.on = there}, [&](const int& each) { b.publish(results, each); });
  for (int i = 0; i != 4; ++i) b.publish(numbers, i);
  while (theirs.run_one()) {
  }
  slow.run_until_idle();
  while (theirs.run_one()) {
  }
  CHECK(got == std::vector{0});
  slow.run_until_idle();
  while (theirs.run_one()) {
  }
  CHECK(got == std::vector{0, 1});
  // 2 waits in the inbox, 3 is held back; nobody makes room for it.
  time.wait_for_parked(1);
  time.advance(2s);
  while (b.counters(results).undeliverable == 0) {
    if (!theirs.run_one()) std::this_thread::yield();
  }
  CHECK(b.counters(results).undeliverable == 1);
}

TEST_CASE("posting: a coroutine goes on on somebody's executor", "[engine]") {
  their_executor theirs;
  const posting_executor there([&](turn next) { theirs.post(std::move(next)); });
  bus b;
  std::vector<int> got;
  const auto run = [](receiver<int> in, std::vector<int>& to) -> task {
    while (const auto next = co_await in.next()) to.push_back(**next);
    to.push_back(-1);
  };
  const auto running = run(b.receiver(numbers, {.on = there}), got);
  for (int i = 0; i != 3; ++i) b.publish(numbers, i);
  CHECK(got.empty());
  while (theirs.run_one()) {
  }
  CHECK(got == std::vector{0, 1, 2});
  b.close();
  while (theirs.run_one()) {
  }
  CHECK(got.back() == -1);
  CHECK(running.finished());
}

TEST_CASE("posting: turns that are thrown away leave their messages, which the end counts", "[engine]") {
  bus b;
  const posting_executor there([](const turn&) {});
  auto sub = b.subscribe(numbers, {.on = there}, [](const int&) {});
  b.publish(numbers, 1);
  CHECK_FALSE(b.drain(0s).complete());
  sub.end();
  CHECK(b.drain(0s).complete());
}
