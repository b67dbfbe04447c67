#pragma once

#include <cstdint>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/barrier.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class inline_caller;

#ifndef AMPHIBUS_ATOMICS  // who brings its own brings these, too
/// How many ends and abandoned tables of this process wait for calls of inline handlers to return: src's call_waiters.
extern std::atomic<std::uint32_t> awaited_calls;
[[gnu::always_inline]] inline bool calls_are_awaited() noexcept {
  return awaited_calls.load(std::memory_order_relaxed) != 0;
}
#else
bool calls_are_awaited() noexcept;
#endif
/// A call returned while something waits. `which` is only compared.
void tell_returned(const inline_caller* which) noexcept;

/// One publisher's calls of one inline subscription.
///
/// A call by value, of which there is one at a time, stores one word twice: it counts the calls, and its highest bit is
/// set during one. All others, which may come inside of one and of each other, pay for a read-modify-write.
class inline_caller {
 public:
  /// The owner calls by value. Returns: how many calls were before, which its end takes. A compiler barrier, and a look
  /// whether the handler may be called, follow. Precondition: the barrier mode is membarrier; no such call is under
  /// way, or this one comes to nothing.
  [[gnu::always_inline]] std::uint64_t begin() noexcept {
    const std::uint64_t before = word_.load(std::memory_order_relaxed);
    word_.store(before | calling, std::memory_order_relaxed);
    return before;
  }
  /// It returned. What it was about, and this object, may be gone from here on. Returns: true if something waits, which
  /// is to be told with tell_returned().
  [[nodiscard, gnu::always_inline]] bool end(std::uint64_t begun) noexcept { return become(begun + 1); }
  /// It came to nothing and is not counted.
  void give_up(std::uint64_t begun) noexcept {
    if (become(begun)) tell_returned(this);
  }

  /// Anyone who publishes in the owner's stead, too: any other call. As begin(), with a light barrier.
  void enter() noexcept { others_.fetch_add(1, std::memory_order_relaxed); }
  /// It returned, and tells of it.
  void leave(bool handled) noexcept {
    if (handled) count_handled();
    others_.fetch_sub(1, std::memory_order_release);  // SYNC(inline.calling): pairs with who waits for calls
    base::light_barrier();
    if (calls_are_awaited()) tell_returned(this);
  }
  void count_handled() noexcept { others_handled_.fetch_add(1, std::memory_order_relaxed); }

  /// Anyone.
  [[nodiscard]] bool is_calling() const noexcept {
    return (word_.load(std::memory_order_acquire) & calling) != 0 ||  // SYNC(inline.calling)
           others_.load(std::memory_order_acquire) != 0;
  }
  [[nodiscard]] std::uint64_t handled() const noexcept {
    return returned() + others_handled_.load(std::memory_order_relaxed);
  }
  /// Calls by value.
  [[nodiscard]] std::uint64_t returned() const noexcept { return word_.load(std::memory_order_relaxed) & ~calling; }
  /// Owner: the same and the one that is under way.
  [[nodiscard]] std::uint64_t begun() const noexcept {
    return returned() + ((word_.load(std::memory_order_relaxed) & calling) != 0 ? 1 : 0);
  }

 private:
  static constexpr std::uint64_t calling = std::uint64_t{1} << 63U;

  [[nodiscard, gnu::always_inline]] bool become(std::uint64_t word) noexcept {
    word_.store(word, std::memory_order_release);  // SYNC(inline.calling)
    base::compiler_barrier();
    return calls_are_awaited();
  }

  base::atomic<std::uint64_t> word_{0};
  base::atomic<std::uint32_t> others_{0};
  base::atomic<std::uint64_t> others_handled_{0};
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
