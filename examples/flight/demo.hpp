#pragma once

#include <string>
#include <vector>

namespace flight {

/// Replays the log in one or more placements and prints a table for each. Returns: 0 if everything sent was received,
/// in order, in all of them; 1 for FAIL; 2 for a command line that cannot be understood.
int run_demo(const std::vector<std::string>& arguments);

}  // namespace flight
