#include <amphibus/wire/crc32c.hpp>

#include <algorithm>
#include <cstring>

#include <isa-l/crc.h>

namespace amphibus::wire {
namespace {

// Polynomials modulo the one of the CRC, the coefficient of x^0 in the highest bit.
constexpr std::uint32_t castagnoli = 0x82f63b78;
constexpr std::uint32_t one = std::uint32_t{1} << 31U;
constexpr std::uint32_t x_to_the_8th = one >> 8U;

constexpr std::uint32_t times_x(std::uint32_t a) noexcept { return (a >> 1U) ^ ((a & 1U) != 0 ? castagnoli : 0); }

constexpr std::uint32_t product(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t out = 0;
  for (; a != 0; a <<= 1U, b = times_x(b)) out ^= (a & one) != 0 ? b : 0;
  return out;
}

constexpr std::size_t summed_together_bytes = 16384;  // still in the first level's cache, or near it, for the copy

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) noexcept {
  // isa-l neither reads nor changes the buffer beyond its length; its parameter merely lacks the const.
  auto* const begin = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  return ~crc32_iscsi(begin, static_cast<int>(bytes.size()), ~seed);
}

std::uint32_t joined_crc32c(std::uint32_t first, std::uint32_t other, std::size_t size) noexcept {
  // As many zero bytes after the first: each multiplies by x^8.
  for (std::uint32_t power = x_to_the_8th; size != 0; size >>= 1U, power = product(power, power)) {
    if ((size & 1U) != 0) first = product(first, power);
  }
  return first ^ other;
}

std::uint32_t copy_with_crc32c(std::byte* to, std::span<const std::byte> from) noexcept {
  std::uint32_t crc = 0;
  while (!from.empty()) {
    const auto some = from.first(std::min(from.size(), summed_together_bytes));
    crc = crc32c(some, crc);
    std::memcpy(to, some.data(), some.size());
    to += some.size();
    from = from.subspan(some.size());
  }
  return crc;
}

}  // namespace amphibus::wire
