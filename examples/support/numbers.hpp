#pragma once

#include <cstdint>
#include <string>

namespace support {

/// 25900 as `25,900`.
std::string with_commas(std::uint64_t number);

}  // namespace support
