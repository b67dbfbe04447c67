#pragma once

#include <cstddef>
#include <cstdint>

#include <amphibus/base/atomic.hpp>
#include <amphibus/queue/bound.hpp>
#include <amphibus/queue/gate.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// What a bus may be bounded to; the default is 1 GiB.
inline constexpr std::size_t memory_max_lowest_bytes = std::size_t{1} << 20U;
inline constexpr std::size_t memory_max_highest_bytes = std::size_t{1} << 46U;

class byte_budget;

/// What one producer took from a budget and did not use yet. Thread: who is inside the owner's gate.
class budget_share {
 public:
  explicit budget_share(gate& owner) noexcept : owner_(owner) {}
  budget_share(const budget_share&) = delete;
  budget_share& operator=(const budget_share&) = delete;

 private:
  friend class byte_budget;
  gate& owner_;
  base::atomic<std::int64_t> bytes_{0};  // written inside the gate
  bool joined_ = false;
  budget_share* next_ = nullptr;
  budget_share* previous_ = nullptr;
};

/// How many bytes all messages of a bus may take together, outside of the queues' own slots.
///
/// Producers take shares in advance, so that what they publish costs no shared counter; what is done with is given back
/// at once where half of the memory is taken, else soon (returning_blocks). A message counts for at most half, so that
/// the largest gets in. Thread: safe; a share as it says. Lifetime: shared by the bus and every message block.
class byte_budget final : public bound {
 public:
  explicit byte_budget(std::int64_t bytes) noexcept : bound(bytes, credit_account::waking::by_need), half_(bytes / 2) {}

  [[nodiscard]] std::int64_t cost_of(std::size_t bytes) const noexcept {
    return bytes < static_cast<std::uint64_t>(half_) ? static_cast<std::int64_t>(bytes) : half_;
  }
  /// Returns: true if `cost` bytes are in the share, now or already.
  [[nodiscard]] bool reserve(budget_share& share, std::int64_t cost) {
    return share.bytes_.load(std::memory_order_relaxed) >= cost || refill(share, cost);
  }
  /// Precondition: reserve().
  void spend(budget_share& share, std::int64_t cost) noexcept {
    share.bytes_.store(share.bytes_.load(std::memory_order_relaxed) - cost, std::memory_order_relaxed);
  }
  /// The producer does not use its share for now.
  void return_share(budget_share& share) noexcept {
    if (share.bytes_.load(std::memory_order_relaxed) > 0)
      give_back(share.bytes_.exchange(0, std::memory_order_relaxed));
  }
  /// The producer is gone.
  void part(budget_share& share) noexcept;
  /// A message is done with.
  void give_back(std::int64_t cost) noexcept { credit().give_back(cost); }

  bool reclaim_idle_credit() override;
  /// What messages take now, without what producers took in advance.
  [[nodiscard]] std::int64_t used_bytes() const;

 private:
  bool refill(budget_share& share, std::int64_t cost);
  /// Whoever was inside its gate is outside, with what it took in its share: who sleeps next must not miss it, since
  /// nobody tells of it. Under mutex_.
  void wait_for_takers() const noexcept;
  [[nodiscard]] std::int64_t shared_locked() const noexcept;

  mutable base::mutex mutex_;
  budget_share* first_ = nullptr;
  base::atomic<std::int64_t> share_count_{0};
  alignas(64) const std::int64_t half_;  // every publish reads it, and every message that is done with writes credit()
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
