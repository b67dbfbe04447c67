#pragma once

#include <cstdint>

namespace bench {

/// How often operator new was called in this process.
std::uint64_t allocations() noexcept;

}  // namespace bench
