// How to test a handler: no thread, no waiting, no port. The checks are plain; use the test framework that you have.
#include <amphibus/testing/test_bus.hpp>

#include <cstdio>

#include "watch.hpp"

namespace {

int failures = 0;
void check(bool holds, const char* what) {
  std::printf("%s: %s\n", holds ? "ok" : "FAILED", what);
  failures += holds ? 0 : 1;
}

my_project_app::ReadingT reading(float celsius) {
  my_project_app::ReadingT out;
  out.number = 7;
  out.celsius = celsius;
  return out;
}

void test_watch() {
  amphibus::testing::test_bus test;
  my_project_app::watch tested(test.bus());
  const auto sub =
      test.bus().subscribe(my_project_app::readings, [&](const my_project_app::ReadingT& now) { tested.on(now); });

  test.bus().publish(my_project_app::readings, reading(my_project_app::watch::celsius_max));
  test.run_until_idle();  // the handlers run here, on this thread
  check(test.published(my_project_app::warnings).empty(), "the limit itself is no reason to warn");

  test.bus().publish(my_project_app::readings, reading(my_project_app::watch::celsius_max + 1));
  test.run_until_idle();
  const auto warned = test.published(my_project_app::warnings);
  check(warned.size() == 1 && warned[0].number == 7, "a warning names the reading");
}

}  // namespace

int main() {
  test_watch();
  return failures == 0 ? 0 : 1;
}
