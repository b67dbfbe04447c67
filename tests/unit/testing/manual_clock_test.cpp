#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <thread>
#include <vector>

using namespace amphibus;

TEST_CASE("manual_clock: after an advance, wait_for_parked waits until who was woken is parked again", "[testing]") {
  constexpr int rounds = 1'000;
  testing::manual_clock time;
  std::vector<base::time_point> ticks;  // written by the thread, read here only while it is parked
  std::jthread ticking([&] {
    base::parker here;
    for (auto next = time.now(); ticks.size() != rounds;) {
      next += std::chrono::seconds(1);
      time.park_until(here, next);
      ticks.push_back(time.now());
    }
  });
  bool in_step = true;
  for (int round = 1; round != rounds; ++round) {
    time.wait_for_parked(1);
    in_step = in_step && ticks.size() == static_cast<std::size_t>(round - 1);
    time.advance(std::chrono::seconds(1));
  }
  time.wait_for_parked(1);
  time.advance(std::chrono::seconds(1));
  ticking.join();
  CHECK(in_step);
  CHECK(ticks.size() == rounds);
}
