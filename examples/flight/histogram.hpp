#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace flight {

/// Counts latencies in log-linear buckets: 32 per power of two, so a percentile is at most 1/32 too high, never too
/// low.
///
/// Any duration fits, and adding one costs the same whatever came before; the buckets are those of HdrHistogram
/// (https://hdrhistogram.org) with 5 significant bits.
class histogram {
 public:
  /// A negative latency counts as 0.
  void add(std::chrono::nanoseconds latency) noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// The smallest bound that at least `share` (0 to 1) of the latencies keep. Of none: 0.
  [[nodiscard]] std::chrono::nanoseconds percentile(double share) const noexcept;

 private:
  static constexpr unsigned sub_bits = 5;
  static constexpr std::size_t buckets = (64 - sub_bits + 1) << sub_bits;

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t highest_ = 0;
};

}  // namespace flight
