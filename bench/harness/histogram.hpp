#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Counts of durations in nanoseconds, log-linear: 128 steps per power of two, so no value is off by more than 0.8 %
/// (the scheme of HdrHistogram). Thread: confined.
class histogram {
 public:
  histogram() : counts_(static_cast<std::size_t>(64 - step_bits + 1) << step_bits) {}

  void add(std::uint64_t nanoseconds) noexcept {
    ++counts_[index_of(nanoseconds)];
    ++count_;
  }
  void add(const histogram& more) noexcept {
    for (std::size_t i = 0; i != counts_.size(); ++i) counts_[i] += more.counts_[i];
    count_ += more.count_;
  }
  void clear() { *this = {}; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// The duration that `share` of them do not exceed, 0 to 1; 0 of none.
  [[nodiscard]] double at(double share) const noexcept {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_ - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; count_ != 0 && i != counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return middle_of(i);
    }
    return 0;
  }

 private:
  static constexpr unsigned step_bits = 7;

  static std::size_t index_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= step_bits) return static_cast<std::size_t>(value);
    const unsigned shift = width - step_bits - 1;
    return (static_cast<std::size_t>(shift + 1) << step_bits) + static_cast<std::size_t>(value >> shift) -
           (std::size_t{1} << step_bits);
  }
  static double middle_of(std::size_t index) noexcept {
    constexpr std::size_t steps = std::size_t{1} << step_bits;
    if (index < steps) return static_cast<double>(index);
    const std::size_t shift = (index >> step_bits) - 1;
    const auto low =
        static_cast<double>((index & (steps - 1)) + steps) * static_cast<double>(std::uint64_t{1} << shift);
    return low + static_cast<double>(std::uint64_t{1} << shift) / 2;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
};

}  // namespace bench
