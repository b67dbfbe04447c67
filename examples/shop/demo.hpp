#pragma once

#include <string>
#include <vector>

namespace shop {

/// Runs the shop in three placements and compares the ledgers. Returns: 0 for the same ledger in all, 1 for FAIL, 2 for
/// a command line that cannot be understood.
int run_demo(const std::vector<std::string>& arguments);

}  // namespace shop
