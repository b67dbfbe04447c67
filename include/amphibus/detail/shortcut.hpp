#pragma once

#include <atomic>
#include <cstdint>

#include <amphibus/detail/inline_calls.hpp>
#include <amphibus/queue/multicast.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// Where a publish goes that has to look at nothing else: to a multicast, or to who is called; or nowhere.
///
/// One word and one look at it for most: an address of the program is positive as a number, untagged as it is on Linux,
/// and of who is called it is kept negative. Thread: the owner; lead_nowhere() by anyone.
class shortcut {
 public:
  class way {
   public:
    [[nodiscard, gnu::always_inline]] bool pushes() const noexcept { return to_ > 0; }
    [[nodiscard, gnu::always_inline]] bool calls() const noexcept { return to_ < 0; }
    /// Precondition: pushes().
    [[nodiscard, gnu::always_inline]] queue::multicast_base* multicast() const noexcept {
      return reinterpret_cast<queue::multicast_base*>(to_);
    }
    /// Precondition: calls().
    [[nodiscard, gnu::always_inline]] inline_call_entry* called() const noexcept {
      return reinterpret_cast<inline_call_entry*>(-to_);
    }

   private:
    friend class shortcut;
    explicit way(std::intptr_t to) noexcept : to_(to) {}
    std::intptr_t to_;
  };

  [[nodiscard, gnu::always_inline]] way look() const noexcept { return way(to_.load(std::memory_order_relaxed)); }
  void lead_to(queue::multicast_base& which) noexcept {
    to_.store(reinterpret_cast<std::intptr_t>(&which), std::memory_order_relaxed);
  }
  void lead_to(inline_call_entry& which) noexcept {
    to_.store(-reinterpret_cast<std::intptr_t>(&which), std::memory_order_relaxed);
  }
  void lead_nowhere() noexcept { to_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::intptr_t> to_{0};
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
