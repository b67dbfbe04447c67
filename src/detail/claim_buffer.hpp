#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <amphibus/base/assert.hpp>

#include "detail/claim_range.hpp"
#include "detail/slot_list.hpp"

namespace amphibus::detail {

/// Slots that one hand has taken and not begun: it claims them from the front without a lock, and others steal from the
/// back, so that nothing waits behind a handler that is stuck.
///
/// Thread: claim() by the owner; fill() by the owner, steal() and empty_into() by anyone, all under one lock.
class claim_buffer {
 public:
  static constexpr std::size_t capacity = 64;

  explicit claim_buffer(std::size_t slot_size) noexcept : slot_size_(slot_size) {}

  /// A run of slots that are now the caller's.
  struct claimed {
    std::byte* slots;
    std::size_t count;
  };

  /// Room for the next slots; fill() says how many there are. Precondition: nothing is left, and nothing claimed in
  /// use.
  [[nodiscard]] std::byte* begin_fill() noexcept {
    AMPHIBUS_ASSERT(left() == 0, "a hand takes more before it has begun what it took");
    return slots_;
  }
  void fill(std::size_t count) noexcept { range_.fill(count); }

  /// Up to `max` of the oldest. Returns: none when nothing is left.
  [[nodiscard]] claimed claim(std::size_t max) noexcept {
    const auto run = range_.claim(max);
    return {slots_ + run.first * slot_size_, run.count};
  }
  /// Moves the newer half of what is left, at least one, to `to`. Returns: how many.
  [[nodiscard]] std::size_t steal(std::byte* to) noexcept { return take_back(to, false); }
  /// Moves everything that is left to `to`. Returns: how many.
  [[nodiscard]] std::size_t empty_into(std::byte* to) noexcept { return take_back(to, true); }
  [[nodiscard]] std::size_t left() const noexcept { return range_.left(); }

 private:
  std::size_t take_back(std::byte* to, bool all) noexcept {
    const auto run = range_.take_back(all);
    std::memcpy(to, slots_ + run.first * slot_size_, run.count * slot_size_);
    return run.count;
  }

  const std::size_t slot_size_;
  alignas(64) claim_range range_;
  alignas(std::uint64_t) std::byte slots_[capacity * slot_size_max];
};

}  // namespace amphibus::detail
