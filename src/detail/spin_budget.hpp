#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include <amphibus/base/time.hpp>

namespace amphibus::detail {

/// How long a thread that handles messages looks for the next one before it sleeps.
///
/// Waking a thread costs about as long as `longest`. Who slept for less than twice that would have done better to look
/// on, and looks longer the next time; who slept for long looks for less. Where as many such threads are awake as there
/// are cores, nobody spins: the core belongs to whoever has work, so who looks on yields instead. Thread: confined, but
/// for the count of those awake.
class spin_budget {
 public:
  static constexpr base::duration longest = std::chrono::microseconds(30);
  static constexpr base::duration shortest = std::chrono::microseconds(1);
  static constexpr int yields_min = 5;

  spin_budget() noexcept { awake().fetch_add(1, std::memory_order_relaxed); }
  ~spin_budget() { awake().fetch_sub(1, std::memory_order_relaxed); }
  spin_budget(const spin_budget&) = delete;
  spin_budget& operator=(const spin_budget&) = delete;

  /// Zero where the cores are wanted: there is one publisher at least.
  [[nodiscard]] base::duration time() const noexcept {
    return has_core() && time_ > shortest ? time_ : base::duration::zero();
  }
  /// How often to yield between looks, after time(): a look for each microsecond that would have been spun.
  [[nodiscard]] int yields() const noexcept {
    return has_core() ? yields_min : std::max(yields_min, static_cast<int>(time_ / shortest));
  }
  /// True while nobody else wants the core that this thread runs on.
  [[nodiscard]] static bool has_core() noexcept { return awake().load(std::memory_order_relaxed) < cores(); }
  void going_to_sleep() noexcept { awake().fetch_sub(1, std::memory_order_relaxed); }
  void woke_up(base::duration slept) noexcept {
    awake().fetch_add(1, std::memory_order_relaxed);
    time_ = slept < 2 * longest ? std::min(2 * time_, longest) : std::max(time_ / 2, shortest);
  }

 private:
  static std::atomic<int>& awake() noexcept {
    static std::atomic<int> count{0};
    return count;
  }
  static int cores() noexcept;

  base::duration time_ = shortest;
};

}  // namespace amphibus::detail
