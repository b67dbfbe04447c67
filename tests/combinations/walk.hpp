#pragma once

#include <amphibus/testing/conformance.hpp>

#include "cell.hpp"

namespace combinations {

/// Sets the cell up, overfills it and compares with what is expected, bounded by `.capacity` and then, where there may
/// be one, by `.capacity_bytes`; `joined` is the subject for messages that come from another process. Throws: what the
/// bus throws.
void walk(const cell& which, const amphibus::testing::subject& joined, amphibus::testing::reporter& to);
/// The same with a history before.
void walk(const start_cell& which, const amphibus::testing::subject& joined, amphibus::testing::reporter& to);
void walk(const level_cell& which, amphibus::testing::reporter& to);

}  // namespace combinations
