#include <amphibus/base/barrier.hpp>
#include <amphibus/base/pause.hpp>
#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> answers{"t.answers"};

/// Each message waits for its answer: the consumer goes to sleep again and again, and a lost wake-up stops everything.
void lockstep(int rounds) {
  bus b;
  std::atomic<int> handled{0};
  auto sub = b.subscribe(numbers, {.capacity = 1}, [&](const number&) { handled.fetch_add(1); });
  auto out = b.publisher(numbers);
  for (int i = 1; i <= rounds; ++i) {
    out.publish({i});
    for (int spins = 0; handled.load() != i; ++spins) {
      if (spins > 200) std::this_thread::yield();
    }
  }
  CHECK(handled == rounds);
}

/// The publisher comes a little later every time, so that it sweeps over the moment between the consumer's last look
/// and its sleep, where only the look after the announcement saves the message.
void sweep(unsigned rounds) {
  constexpr unsigned longest_pauses = 400;  // about 10 us: beyond spinning and yielding
  bus b;
  std::atomic<unsigned> handled{0};
  auto sub = b.subscribe(numbers, [&](const number&) { handled.fetch_add(1); });
  auto out = b.publisher(numbers);
  for (unsigned i = 1; i <= rounds; ++i) {
    base::pause(i * 7 % longest_pauses);
    out.publish({0});
    while (handled.load() != i) base::pause();
  }
  CHECK(handled == rounds);
}

/// Two executors that wake each other in turn, both parked in between.
void ping_pong(int rounds) {
  bus b;
  std::atomic<int> turns{0};
  auto ping = b.subscribe(numbers, {.on = dedicated}, [&](const number& n) {
    if (n.value < rounds) b.publish(answers, {n.value + 1});
    ++turns;
  });
  auto pong = b.subscribe(answers, {.on = dedicated}, [&](const number& n) {
    if (n.value < rounds) b.publish(numbers, {n.value + 1});
    ++turns;
  });
  b.publish(numbers, {1});
  while (turns != rounds) CHECK(b.drain(std::chrono::minutes(1)).complete());
}

}  // namespace

TEST_CASE("wake: a consumer that sleeps between messages misses none", "[engine]") {
  lockstep(20'000);
  ping_pong(5'000);
  sweep(60'000);
}

TEST_CASE("wake: the same with the portable fence instead of membarrier", "[engine]") {
  const bool membarrier = base::current_barrier_mode() == base::barrier_mode::membarrier;
  base::use_fence_barrier();
  lockstep(20'000);
  ping_pong(5'000);
  if (membarrier) base::detail::chosen_barrier.store(base::barrier_mode::membarrier);
}
