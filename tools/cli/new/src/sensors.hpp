#pragma once

#include <amphibus/module.hpp>

namespace my_project_app {

/// Module `sensors`: publishes what it measures.
void start_sensors(amphibus::module& m);

}  // namespace my_project_app
