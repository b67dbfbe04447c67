#include "watch.hpp"

#include <cstdio>

namespace my_project_app {

void watch::on(const ReadingT& now) {
  if (now.celsius <= celsius_max) return;
  WarningT warning;
  warning.number = now.number;
  warning.celsius = now.celsius;
  bus_.publish(warnings, warning);
}

void start_watch(amphibus::module& m) {
  auto& watching = m.make<watch>(m.bus());
  m.subscribe(warnings, [](const WarningT& it) {
    std::printf("reading %u: %.0f degrees is too warm\n", it.number, static_cast<double>(it.celsius));
  });
  m.subscribe(readings, [&](const ReadingT& now) {
    watching.on(now);
    if (now.last) m.done();  // the program ends when every module is done
  });
}

}  // namespace my_project_app
