#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> others{"t.others"};

/// Takes its time to be destroyed.
class lingering {
 public:
  explicit lingering(std::atomic<int>& alive) : alive_(&alive) { ++*alive_; }
  lingering(const lingering& other) : alive_(other.alive_) { ++*alive_; }
  lingering& operator=(const lingering&) = delete;
  ~lingering() {
    for (int i = 0; i != 20; ++i) std::this_thread::yield();
    --*alive_;
  }

 private:
  std::atomic<int>* alive_;
};

}  // namespace

TEST_CASE("subscription: its end waits for the handler that runs, and the callable is destroyed", "[engine]") {
  bus b;
  support::barrier at;
  std::atomic<bool> finished{false};
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> callable = owned;
  std::optional<subscription> sub = b.subscribe(numbers, [&, owned = std::move(owned)](const number&) {
    at.pass();
    finished = true;
  });
  b.publish(numbers, {1});
  at.wait_for_visitor();
  std::thread opener([&] { at.open(); });
  sub.reset();
  CHECK(finished);
  CHECK(callable.expired());
  opener.join();
}

TEST_CASE("subscription: its end waits for the callable's destructor, also where another thread runs it", "[engine]") {
  bus b;
  std::atomic<bool> stop{false};
  std::thread publishing([&] {
    auto out = b.publisher(numbers);
    while (!stop) out.publish({1});
  });
  int outlived = 0;
  for (int i = 0; i != 200; ++i) {
    std::atomic<int> alive{0};
    std::atomic<bool> ran{false};
    auto sub = b.subscribe(numbers, {.on = i % 2 == 0 ? executor_choice(serial) : inline_},
                           [&, here = lingering(alive)](const number&) { ran = true; });
    while (!ran) std::this_thread::yield();
    sub.end();
    outlived += alive != 0 ? 1 : 0;
    while (alive != 0) std::this_thread::yield();
  }
  stop = true;
  publishing.join();
  CHECK(outlived == 0);
}

TEST_CASE("subscription: a callable may own its own subscription and end it from its destructor", "[engine]") {
  for (const executor_choice& on : {executor_choice(serial), executor_choice(inline_)}) {
    bus b;
    auto own = std::make_shared<subscription>();
    *own = b.subscribe(numbers, {.on = on}, [own](const number&) {});
    const std::weak_ptr<subscription> callable = own;
    own.reset();
    b.publish(numbers, {1});
    b.close();
    CHECK(callable.expired());
  }
}

TEST_CASE("subscription: nothing starts after its end, and every message is accounted for", "[engine]") {
  for (int round = 0; round != 50; ++round) {
    bus b;
    std::atomic<bool> ended{false};
    std::atomic<int> late{0};
    std::uint64_t handled = 0;
    auto sub = b.subscribe(numbers, {.capacity = 256}, [&](const number&) {
      ++handled;
      late += ended ? 1 : 0;
    });
    std::atomic<std::uint64_t> accepted{0};
    std::thread publishing([&] {
      auto out = b.publisher(numbers);
      for (int i = 0; i != 2'000; ++i) accepted += out.publish({i}) == publish_status::accepted ? 1U : 0U;
    });
    while (accepted < 100) std::this_thread::yield();
    auto counted = std::make_unique<subscription>(std::move(sub));
    counted->end();
    ended = true;
    publishing.join();
    CHECK(late == 0);
    CHECK(handled <= accepted);
  }
}

TEST_CASE("subscription: what is queued at its end is counted as unsubscribed", "[engine]") {
  bus b;
  loop here;
  std::uint64_t handled = 0;
  auto sub = b.subscribe(numbers, {.on = here}, [&](const number&) { ++handled; });
  for (int i = 0; i != 10; ++i) b.publish(numbers, {i});
  const auto core = b.core()->all_topics().front()->subscribers().front();
  sub.end();
  here.run_until_idle();
  CHECK(handled == 0);
  CHECK(core->counters().unsubscribed == 10);
  CHECK(core->counters().pending == 0);
}

TEST_CASE("subscription: ended inside its own handler it returns at once and the callable lives until the return",
          "[engine]") {
  bus b;
  loop here;
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> callable = owned;
  std::optional<subscription> sub;
  int calls = 0;
  bool alive_inside = false;
  sub = b.subscribe(numbers, {.on = here}, [&, owned](const number&) {
    ++calls;
    sub.reset();
    alive_inside = !callable.expired() && *owned == 1;
  });
  owned.reset();
  for (int i = 0; i != 3; ++i) b.publish(numbers, {i});
  here.run_until_idle();
  CHECK(calls == 1);
  CHECK(alive_inside);
  CHECK(callable.expired());
}

TEST_CASE("subscription: a handler may end another subscription of the same thread", "[engine]") {
  bus b;
  std::optional<subscription> victim = b.subscribe(numbers, [](const number&) {});
  std::atomic<bool> done{false};
  auto sub = b.subscribe(others, [&](const number&) {
    victim.reset();
    done = true;
  });
  b.publish(others, {1});
  CHECK(b.drain().complete());
  CHECK(done);
}

TEST_CASE("subscription: a blocked publisher is released by the end of what blocked it", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::block(std::chrono::hours(1)), .on = here},
                         [](const number&) {});
  b.publish(numbers, {1});
  publish_status answer{};
  std::thread waiting([&] { answer = b.publish(numbers, {2}); });
  while (b.counters(numbers).published != 1) std::this_thread::yield();
  sub.end();
  waiting.join();
  CHECK(answer == publish_status::no_subscribers);
}

TEST_CASE("subscription: it may outlive the bus", "[engine]") {
  std::optional<bus> b(std::in_place);
  auto sub = b->subscribe(numbers, [](const number&) {});
  auto out = b->publisher(numbers);
  b.reset();
  CHECK(out.publish({1}) == publish_status::closed);
  sub.end();
}

TEST_CASE("subscription: subscribing and ending while others publish loses no accounting", "[engine]") {
  bus b;
  std::atomic<bool> stop{false};
  std::thread publishing([&] {
    auto out = b.publisher(numbers);
    for (int i = 0; !stop; ++i) out.publish({i});
  });
  for (int i = 0; i != 300; ++i) {
    auto one = b.subscribe(numbers, {.capacity = 64}, [](const number&) {});
    auto two = b.subscribe(numbers, {.capacity = 8, .on = i % 10 == 0 ? dedicated : serial}, [](const number&) {});
  }
  stop = true;
  publishing.join();
  CHECK(b.drain().complete());
}
