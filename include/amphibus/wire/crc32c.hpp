#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#pragma GCC visibility push(default)
namespace amphibus::wire {

/// CRC-32C (Castagnoli, as in iSCSI); "123456789" gives 0xe3069283. `seed` is the CRC of what came before.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept;

/// Of bytes that come one after the other, from the CRC of the first and that of the other `size` on their own.
std::uint32_t joined_crc32c(std::uint32_t first, std::uint32_t other, std::size_t size) noexcept;

/// Copies, and sums in the same pass over memory: hardly slower than the copy alone. Returns: the CRC of the bytes.
std::uint32_t copy_with_crc32c(std::byte* to, std::span<const std::byte> from) noexcept;

}  // namespace amphibus::wire
#pragma GCC visibility pop
