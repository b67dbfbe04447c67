#include <amphibus/base/ids.hpp>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <random>

namespace amphibus {

std::string to_string(const source_id& id) {
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%016" PRIx64 "/%" PRIu64, id.origin, id.index);
  return out.data();
}

std::string to_string(const message_id& id) {
  return id ? to_string(id.source) + "/" + std::to_string(id.sequence) : "-";
}

std::uint64_t base::random_nonzero() {
  std::random_device device;
  for (;;) {
    const auto bits = (std::uint64_t{device()} << 32U) | device();
    if (bits != 0) return bits;
  }
}

}  // namespace amphibus
