// The testing library alone: time that moves only on request.
#include <amphibus/testing/manual_clock.hpp>

int main() {
  amphibus::testing::manual_clock clock;
  const auto before = clock.now();
  clock.advance(std::chrono::hours(1));
  return clock.now() - before == std::chrono::hours(1) ? 0 : 1;
}
