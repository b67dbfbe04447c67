#include <amphibus/base/clock.hpp>
#include <amphibus/base/parker.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace amphibus;

namespace {

base::time_point now() { return base::steady_clock().now(); }

}  // namespace

TEST_CASE("parker: an unpark before the park is not lost, and several count as one", "[base]") {
  base::parker place;
  place.unpark();
  place.unpark();
  CHECK(place.park_until(base::time_point::max()));
  CHECK_FALSE(place.park_until(now()));
}

TEST_CASE("parker: at the deadline it answers false, not earlier", "[base]") {
  base::parker place;
  const auto deadline = now() + std::chrono::milliseconds(20);
  CHECK_FALSE(place.park_until(deadline));
  CHECK(now() >= deadline);
}

TEST_CASE("parker: two threads hand a turn to and fro without a lost one", "[base]") {
  constexpr int turns = 20'000;
  base::parker ping;
  base::parker pong;
  int shared = 0;
  std::thread other([&] {
    for (int i = 0; i != turns; ++i) {
      ping.park();
      ++shared;
      pong.unpark();
    }
  });
  for (int i = 0; i != turns; ++i) {
    ping.unpark();
    pong.park();
    REQUIRE(shared == i + 1);
  }
  other.join();
}
