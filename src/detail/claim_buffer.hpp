#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <amphibus/base/assert.hpp>

#include "detail/slot_list.hpp"

namespace amphibus::detail {

/// Slots that one hand has taken and not begun: it claims them from the front without a lock, and others steal from the
/// back, so that nothing waits behind a handler that is stuck.
///
/// Thread: claim() by the owner; fill() by the owner and steal() by anyone, both under one lock, so that a thief has
/// copied what it stole before the owner can fill the place again.
class claim_buffer {
 public:
  static constexpr std::size_t capacity = 64;

  explicit claim_buffer(std::size_t slot_size) noexcept : slot_size_(slot_size) {}

  /// A run of slots that are now the caller's.
  struct claimed {
    std::byte* slots;
    std::size_t count;
  };

  /// Owner, under the lock: room for the next slots. Precondition: nothing is left, and nothing claimed is in use.
  [[nodiscard]] std::byte* begin_fill() noexcept {
    AMPHIBUS_ASSERT(left() == 0, "a hand takes more before it has begun what it took");
    return slots_;
  }
  void fill(std::size_t count) noexcept {
    // SYNC(claim.range): the slots are read by thieves under the lock, by the owner on its own thread.
    range_.store(packed(0, static_cast<std::uint32_t>(count)), std::memory_order_relaxed);
  }

  /// Owner: up to `max` of the oldest. Returns: none when nothing is left.
  [[nodiscard]] claimed claim(std::size_t max) noexcept {
    std::uint64_t range = range_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint32_t next = next_of(range);
      const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(max, end_of(range) - next));
      if (count == 0) return {nullptr, 0};
      // Relaxed is enough: only the owner writes slots, and it has done so; the word alone decides whose they are.
      if (range_.compare_exchange_weak(range, packed(next + count, end_of(range)), std::memory_order_relaxed))
        return {slots_ + next * slot_size_, count};
    }
  }

  /// Under the lock: moves the newer half of what is left, at least one, to `to`. Returns: how many.
  [[nodiscard]] std::size_t steal(std::byte* to) noexcept { return take_back(to, false); }
  /// Under the lock: moves everything that is left to `to`. Returns: how many.
  [[nodiscard]] std::size_t empty_into(std::byte* to) noexcept { return take_back(to, true); }

  [[nodiscard]] std::size_t left() const noexcept {
    const std::uint64_t range = range_.load(std::memory_order_relaxed);
    return end_of(range) - next_of(range);
  }

 private:
  static std::uint32_t next_of(std::uint64_t range) noexcept { return static_cast<std::uint32_t>(range); }
  static std::uint32_t end_of(std::uint64_t range) noexcept { return static_cast<std::uint32_t>(range >> 32U); }
  static std::uint64_t packed(std::uint32_t next, std::uint32_t end) noexcept {
    return std::uint64_t{end} << 32U | next;
  }

  std::size_t take_back(std::byte* to, bool all) noexcept {
    std::uint64_t range = range_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint32_t size = end_of(range) - next_of(range);
      if (size == 0) return 0;
      const std::uint32_t count = all ? size : (size + 1) / 2;
      const std::uint32_t end = end_of(range) - count;
      if (!range_.compare_exchange_weak(range, packed(next_of(range), end), std::memory_order_relaxed)) continue;
      std::memcpy(to, slots_ + end * slot_size_, count * slot_size_);
      return count;
    }
  }

  const std::size_t slot_size_;
  alignas(64) std::atomic<std::uint64_t> range_{0};
  alignas(std::uint64_t) std::byte slots_[capacity * slot_size_max];
};

}  // namespace amphibus::detail
