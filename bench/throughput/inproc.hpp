#pragma once

#include <vector>

#include "harness/figure.hpp"

namespace bench {

/// Everything inside one process. `effort`: 1 is the whole, 0.25 a quick look.
std::vector<scenario> inproc_scenarios(double effort);

}  // namespace bench
