#include <amphibus/wire/crc32c.hpp>

#include <isa-l/crc.h>

namespace amphibus::wire {

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) noexcept {
  // isa-l neither reads nor changes the buffer beyond its length; its parameter merely lacks the const.
  auto* const begin = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  return ~crc32_iscsi(begin, static_cast<int>(bytes.size()), ~seed);
}

}  // namespace amphibus::wire
