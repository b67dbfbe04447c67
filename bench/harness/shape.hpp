#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

/// A shape of traffic inside one process: every publisher sends its share, every subscriber gets everything.
struct shape {
  int publishers = 1;
  int subscribers = 1;
  std::size_t bytes = 32;       ///< of a message: one of the sizes of with_size()
  std::int64_t bound = 32'768;  ///< messages in flight per subscriber, the same on both sides of a comparison
};

template <std::size_t Bytes>
struct message {
  std::array<std::uint64_t, Bytes / 8> words;
};

/// Calls `use.template operator()<message<N>>()` with the message of that size. Returns: what it returns; 0 for a size
/// that no benchmark has.
template <class Use>
double with_size(std::size_t bytes, const Use& use) {
  switch (bytes) {
    case 8: return use.template operator()<message<8>>();
    case 32: return use.template operator()<message<32>>();
    case 256: return use.template operator()<message<256>>();
    case 4096: return use.template operator()<message<4096>>();
    case std::size_t{1} << 20U: return use.template operator()<message<std::size_t{1} << 20U>>();
    default: return 0;
  }
}

/// What one publisher's share adds up to at every subscriber: message i carries i in its first word.
constexpr std::uint64_t sum_of_share(std::size_t share) noexcept {
  return share == 0 ? 0 : static_cast<std::uint64_t>(share) * (share - 1) / 2;
}

}  // namespace bench
