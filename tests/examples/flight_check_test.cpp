#include <catch2/catch.hpp>

#include "stream_check.hpp"

using namespace flight;
using namespace std::chrono_literals;

namespace {

CpuloadT message(std::uint32_t number, float load = 0.5F) {
  CpuloadT out;
  out.number = number;
  out.load = load;
  out.due_ns = 1'000;
  return out;
}

stream_check check_of(const std::vector<std::uint32_t>& numbers, std::uint32_t sent) {
  stream_check out;
  for (const std::uint32_t each : numbers) out.add(message(each), 1us);
  out.end(sent);
  return out;
}

}  // namespace

TEST_CASE("stream_check: what arrives whole and in order has no fault", "[flight]") {
  const auto check = check_of({0, 1, 2}, 3);
  CHECK(check.received() == 3);
  CHECK(check.reordered() == 0);
  CHECK(check.lost() == 0);
}

TEST_CASE("stream_check: a loss, a lost tail, a swap and a second copy are counted", "[flight]") {
  CHECK(check_of({0, 2}, 3).lost() == 1);
  CHECK(check_of({0, 1}, 3).lost() == 1);
  CHECK(check_of({}, 3).lost() == 3);
  CHECK(check_of({0, 2, 1}, 3).reordered() == 1);
  CHECK(check_of({0, 2, 1}, 3).lost() == 0);
  const auto twice = check_of({0, 1, 1, 2}, 3);
  CHECK(twice.received() == 4);
  CHECK(twice.reordered() == 1);
}

TEST_CASE("stream_check: a stream ends once", "[flight]") {
  stream_check check;
  CHECK(check.end(0));
  CHECK_FALSE(check.end(0));
}

TEST_CASE("stream_check: latency counts from when the message was due", "[flight]") {
  stream_check check;
  check.add(message(0), 1us + 30ns);
  CHECK(check.latency().percentile(1) == 30ns);
}

TEST_CASE("content: another value, order or list shows; another due time does not", "[flight]") {
  const auto digest = [](const auto&... messages) {
    content sum;
    (sum.add(messages), ...);
    return sum.digest();
  };
  CpuloadT late = message(0);
  late.due_ns = 77;
  CHECK(digest(message(0)) == digest(late));
  CHECK(digest(message(0)) != digest(message(0, 0.25F)));
  CHECK(digest(message(0), message(1)) != digest(message(1), message(0)));
  VehicleAttitudeT one;
  VehicleAttitudeT other;
  other.q = {0};
  CHECK(digest(one) != digest(other));
}

TEST_CASE("histogram: small values are exact, larger ones at most 1/32 too high and never too low", "[flight]") {
  for (std::uint64_t value = 0; value < (std::uint64_t{1} << 61U); value = value * 5 / 4 + 1) {
    histogram of;
    of.add(std::chrono::nanoseconds(static_cast<std::int64_t>(value)));
    of.add(std::chrono::nanoseconds::max());  // else the highest value bounds the answer
    const auto said = static_cast<std::uint64_t>(of.percentile(0.5).count());
    CHECK(said >= value);
    CHECK(said - value <= value / 32);
  }
}

TEST_CASE("histogram: percentiles of 1 to 1000, of nothing and of negative values", "[flight]") {
  histogram of;
  CHECK(of.percentile(0.5) == 0ns);
  of.add(-5ns);
  CHECK(of.percentile(1) == 0ns);
  histogram thousand;
  for (int i = 1; i <= 1000; ++i) thousand.add(std::chrono::nanoseconds(i));
  CHECK(thousand.count() == 1000);
  CHECK((thousand.percentile(0.5) >= 500ns && thousand.percentile(0.5) <= 516ns));
  CHECK((thousand.percentile(0.99) >= 990ns && thousand.percentile(0.99) <= 1000ns));
  CHECK(thousand.percentile(0) == 1ns);
  CHECK(thousand.percentile(1) == 1000ns);
}
