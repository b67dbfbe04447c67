#pragma once

#include <amphibus/bus.hpp>
#include <amphibus/module.hpp>

#include "topics.hpp"

namespace my_project_app {

/// What module `watch` does with a reading. It takes a bus and knows nothing of processes: tests/watch_test.cpp.
class watch {
 public:
  static constexpr float celsius_max = 28.0F;
  explicit watch(amphibus::bus& bus) : bus_(bus) {}
  void on(const ReadingT& now);

 private:
  amphibus::bus& bus_;
};

/// Module `watch`: warns of readings that are too warm.
void start_watch(amphibus::module& m);

}  // namespace my_project_app
