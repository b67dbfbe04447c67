#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace flight {
namespace {

/// Values below two rows of sub-buckets have a bucket each; above, the leading bits choose it.
unsigned shift_of(std::uint64_t value, unsigned sub_bits) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  return width > sub_bits + 1 ? width - sub_bits - 1 : 0;
}

}  // namespace

void histogram::add(std::chrono::nanoseconds latency) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count()));
  const unsigned shift = shift_of(value, sub_bits);
  ++counts_[(std::size_t{shift} << sub_bits) + (value >> shift)];
  ++count_;
  highest_ = std::max(highest_, value);
}

std::chrono::nanoseconds histogram::percentile(double share) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i != buckets && count_ != 0; ++i) {
    seen += counts_[i];
    if (seen < std::max<std::uint64_t>(1, wanted)) continue;
    const std::size_t row = i >> sub_bits;
    const std::size_t shift = row == 0 ? 0 : row - 1;
    const std::uint64_t last = ((i - (shift << sub_bits) + 1) << shift) - 1;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(last, highest_)));
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(highest_));
}

}  // namespace flight
