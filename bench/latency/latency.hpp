#pragma once

#include <vector>

#include "harness/figure.hpp"

namespace bench {

/// One-way times inside one process, sent by the clock. `effort`: 1 is the whole, 0.25 a quick look.
std::vector<scenario> latency_scenarios(double effort);

}  // namespace bench
