#pragma once

#include <cstdint>

#include <amphibus/base/atomic.hpp>

#pragma GCC visibility push(default)
namespace amphibus::base {

#ifndef AMPHIBUS_ATOMICS  // which brings its own
/// A mutex of four bytes, where std::mutex has forty: for what exists once per subscription or topic. Not fair, not
/// recursive; who waits sleeps, so it may be held for long, as a mailbox's is while its handler runs.
///
/// The algorithm is Ulrich Drepper's ("Futexes are tricky", mutex 2): who waits says so in the word, and who unlocks
/// wakes one only then. Thread: safe.
class small_mutex {
 public:
  small_mutex() = default;
  small_mutex(const small_mutex&) = delete;
  small_mutex& operator=(const small_mutex&) = delete;

  void lock() noexcept {
    if (!try_lock()) [[unlikely]]
      lock_contended();
  }
  [[nodiscard]] bool try_lock() noexcept {
    std::uint32_t expected = open;
    return word_.compare_exchange_strong(expected, locked, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void unlock() noexcept {
    if (word_.exchange(open, std::memory_order_release) == waited_for) [[unlikely]]
      wake_one();
  }

 private:
  static constexpr std::uint32_t open = 0;
  static constexpr std::uint32_t locked = 1;
  static constexpr std::uint32_t waited_for = 2;

  // Both out of line: waiting and waking have to be of one standard library.
  void lock_contended() noexcept;
  void wake_one() noexcept;

  base::atomic<std::uint32_t> word_{open};
};
#endif

}  // namespace amphibus::base
#pragma GCC visibility pop
