#pragma once

#include <amphibus/topic.hpp>

#include "messages_amphibus.h"

// Every topic once, shared by those who publish it and those who subscribe to it.
namespace my_project_app {

inline constexpr amphibus::topic<ReadingT> readings{"my_project.readings"};
inline constexpr amphibus::topic<WarningT> warnings{"my_project.warnings"};

}  // namespace my_project_app
