#include <amphibus/base/wait_until.hpp>
#include <amphibus/testing/manual_clock.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace amphibus;

TEST_CASE("wait_until: it ends with the clock's deadline, not before", "[base]") {
  testing::manual_clock time;
  const auto deadline = time.now() + std::chrono::hours(1);
  std::atomic<bool> over{false};
  bool answer = false;
  std::jthread waiting([&](const std::stop_token& stop) {
    answer = base::wait_until(time, deadline, stop);
    over = true;
  });
  time.wait_for_parked(1);
  time.advance(std::chrono::hours(1) - std::chrono::nanoseconds(1));
  time.wait_for_parked(1);
  CHECK_FALSE(over);
  time.advance(std::chrono::nanoseconds(1));
  waiting.join();
  CHECK(answer);
}

TEST_CASE("wait_until: a deadline that has passed does not wait", "[base]") {
  testing::manual_clock time;
  CHECK(base::wait_until(time, time.now(), {}));
  CHECK(base::wait_until(time, time.now() - std::chrono::hours(1), {}));
  CHECK(base::wait_until(base::steady_clock(), base::steady_clock().now(), {}));
}

TEST_CASE("wait_until: a stop ends it, before, while and where the deadline has passed", "[base]") {
  testing::manual_clock time;
  std::stop_source stopped;
  stopped.request_stop();
  CHECK_FALSE(base::wait_until(time, base::time_point::max(), stopped.get_token()));
  CHECK_FALSE(base::wait_until(time, time.now(), stopped.get_token()));

  bool answer = true;
  std::jthread waiting(
      [&](const std::stop_token& stop) { answer = base::wait_until(time, base::time_point::max(), stop); });
  time.wait_for_parked(1);
  waiting.request_stop();
  waiting.join();
  CHECK_FALSE(answer);
}
