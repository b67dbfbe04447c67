#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <amphibus/base/atomic.hpp>

namespace amphibus::detail {

/// Which of some places are whose: the owner claims from the front, without a lock; others take from the back.
///
/// One word says it all, so that no place goes to two. What lies in the places is not its business: whoever fills
/// them and whoever takes from the back hold one lock, so that a thief has copied what it took before the owner fills
/// again. Thread: claim() by the owner; fill() by the owner and take_back() by anyone, both under that lock.
class claim_range {
 public:
  /// Places that are now the caller's.
  struct run {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  /// The first `count` places are full. Precondition: nothing is left.
  void fill(std::size_t count) noexcept {
    // Relaxed, as everything here: what lies in the places is ordered by the lock, and for the owner by itself.
    word_.store(packed(0, static_cast<std::uint32_t>(count)), std::memory_order_relaxed);
  }
  /// Up to `max` of the first that are left. Returns: none where nothing is.
  [[nodiscard]] run claim(std::size_t max) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(max, end_of(word) - next_of(word)));
      if (count == 0) return {};
      const run out{next_of(word), count};
      const std::uint64_t after = packed(out.first + count, end_of(word));
      if (word_.compare_exchange_weak(word, after, std::memory_order_relaxed, std::memory_order_relaxed)) return out;
    }
  }
  /// Half of what is left, rounded up, or `all` of it: the last ones. Returns: none where nothing is.
  [[nodiscard]] run take_back(bool all) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint32_t size = end_of(word) - next_of(word);
      if (size == 0) return {};
      const std::uint32_t count = all ? size : (size + 1) / 2;
      const run out{end_of(word) - count, count};
      const std::uint64_t after = packed(next_of(word), out.first);
      if (word_.compare_exchange_weak(word, after, std::memory_order_relaxed, std::memory_order_relaxed)) return out;
    }
  }
  [[nodiscard]] std::size_t left() const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return end_of(word) - next_of(word);
  }

 private:
  static std::uint32_t next_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }
  static std::uint32_t end_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 32U); }
  static std::uint64_t packed(std::uint32_t next, std::uint32_t end) noexcept {
    return std::uint64_t{end} << 32U | next;
  }

  base::atomic<std::uint64_t> word_{0};
};

}  // namespace amphibus::detail
