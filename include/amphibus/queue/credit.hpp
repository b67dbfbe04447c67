#pragma once

#include <cstdint>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/least.hpp>
#include <amphibus/base/small_mutex.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// Told once when a full inbox has room again; then it must register anew.
///
/// Thread: called on the consumer's thread; must not block. Lifetime: until called or removed.
class space_listener {
 public:
  virtual void space_available() noexcept = 0;

 protected:
  ~space_listener() = default;

 private:
  friend class credit_account;
  space_listener* next_ = nullptr;
  std::int64_t needed_ = 0;
  bool listed_ = false;
};

/// The free places of one bounded inbox: publishers take them in chunks, the consumer returns them after the handler.
///
/// Counts accepted-not-finished messages, those in the handler's hand included; a large one may take several places.
/// Publishers that wait are woken when half of the capacity is free or the consumer has nothing left, not for every
/// place: waking is what costs. Thread: safe.
class credit_account {
 public:
  /// When those are woken who wait: all at half of the capacity, or each as soon as what it needs is free.
  enum class waking : std::uint8_t { at_half, by_need };

  explicit credit_account(std::int64_t capacity, waking when = waking::at_half) noexcept
      : capacity_(capacity), when_(when), free_(capacity), wake_at_((capacity + 1) / 2) {}

  [[nodiscard]] std::int64_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::int64_t available() const noexcept { return free_.load(std::memory_order_relaxed); }

  /// Takes up to `wanted` places. Returns: how many, 0 if none is free. Never waits.
  std::int64_t take(std::int64_t wanted) noexcept {
    std::int64_t free = free_.load(std::memory_order_relaxed);
    while (free > 0) {
      const std::int64_t taken = base::least(free, wanted);
      // SYNC(credit.free): acquires the handler's work that give_back() released, so a slot is never reused too early.
      if (free_.compare_exchange_weak(free, free - taken, std::memory_order_acquire, std::memory_order_relaxed))
        return taken;
    }
    return 0;
  }

  /// Takes places that need not be free: until as many are given back there are fewer than none.
  void charge(std::int64_t places) noexcept { free_.fetch_sub(places, std::memory_order_relaxed); }

  /// Returns places; wakes waiting publishers once enough are free.
  void give_back(std::int64_t places) noexcept {
    // SYNC(credit.waiting): seq_cst pairs with listen(): either we see the listener and its need, or it sees the
    // places.
    const std::int64_t free = free_.fetch_add(places, std::memory_order_seq_cst) + places;
    if (waiting_.load(std::memory_order_seq_cst) && free >= wake_at_.load(std::memory_order_seq_cst)) notify(free);
  }

  /// Wakes everybody who waits, e.g. when the consumer has nothing left to do or the inbox ends.
  void notify_all() noexcept;
  /// The same, for nothing but one load while nobody waits.
  void notify_if_waiting() noexcept {
    if (waiting_.load(std::memory_order_seq_cst)) notify_all();
  }

  [[nodiscard]] bool is_waited_for() const noexcept { return waiting_.load(std::memory_order_relaxed); }
  /// Registers `who` for one call. Returns: false, unregistered, if `needed` places became free meanwhile.
  bool listen(space_listener& who, std::int64_t needed = 1) noexcept;
  /// Takes `who` off the list; when it returns, `who` is not being called.
  void forget(space_listener& who) noexcept;

 private:
  /// Wakes those whom `free` places are enough.
  void notify(std::int64_t free) noexcept;
  void unlink(space_listener& who) noexcept;
  void find_wake_mark() noexcept;

  const std::int64_t capacity_;
  const waking when_;
  base::atomic<bool> waiting_{false};
  base::small_mutex mutex_;
  base::atomic<std::int64_t> free_;
  base::atomic<std::int64_t> wake_at_;
  space_listener* first_ = nullptr;  // mutex_
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
