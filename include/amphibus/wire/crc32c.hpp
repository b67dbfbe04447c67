#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#pragma GCC visibility push(default)
namespace amphibus::wire {

/// CRC-32C (Castagnoli, as in iSCSI); "123456789" gives 0xe3069283. `seed` is the CRC of what came before.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept;

}  // namespace amphibus::wire
#pragma GCC visibility pop
