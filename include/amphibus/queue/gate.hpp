#pragma once

#include <cstdint>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/barrier.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// Lets one owner enter and leave at the price of two plain stores, and lets others keep it out now and then.
///
/// The asymmetric half of a lock: the rare side pays a heavy barrier, the owner a light one. With it a stranger can
/// take an idle publisher's unused credit, and close() and unsubscribe can wait until nobody pushes any more.
/// Thread: enter/leave by one owner at a time; exclude/admit by anyone, also several at once.
class gate {
 public:
  /// Returns: false while somebody excludes; call enter_waiting() then.
  [[nodiscard]] bool enter() noexcept {
    busy_.store(1, std::memory_order_relaxed);
    base::light_barrier();
    // SYNC(gate.locked): acquires what the last excluder wrote before admit().
    if (locked_.load(std::memory_order_acquire) == 0) [[likely]]
      return true;
    leave();
    return false;
  }
  /// The same for who knows that the barrier mode is membarrier.
  [[nodiscard, gnu::always_inline]] bool enter_by_membarrier() noexcept {
    busy_.store(1, std::memory_order_relaxed);
    base::compiler_barrier();
    return locked_.load(std::memory_order_acquire) == 0;  // SYNC(gate.locked); leave() in either case
  }
  /// Enters as soon as nobody excludes; exclusions are short and never wait on the owner's own work.
  void enter_waiting() noexcept {
    while (!enter()) base::yield();
  }
  [[gnu::always_inline]] void leave() noexcept {
    busy_.store(0, std::memory_order_release);
  }  // SYNC(gate.busy): read by exclude()

  /// Returns when the owner is outside; it stays outside until admit(). Precondition: the caller is not inside.
  void exclude() noexcept {
    locked_.fetch_add(1, std::memory_order_seq_cst);
    base::heavy_barrier();
    while (busy_.load(std::memory_order_acquire) != 0) base::yield();  // SYNC(gate.busy)
  }
  void admit() noexcept { locked_.fetch_sub(1, std::memory_order_release); }  // SYNC(gate.locked)

  /// Returns when a publish that had begun before the call has ended. Needs a heavy_barrier() of the caller before it.
  void wait_outside() const noexcept {
    while (busy_.load(std::memory_order_acquire) != 0) base::yield();  // SYNC(gate.busy)
  }

 private:
  base::atomic<std::uint8_t> busy_{0};
  base::atomic<std::uint32_t> locked_{0};
};

/// Leaves a gate that was entered.
class gate_exit {
 public:
  explicit gate_exit(gate& of) noexcept : of_(of) {}
  ~gate_exit() { of_.leave(); }
  gate_exit(const gate_exit&) = delete;
  gate_exit& operator=(const gate_exit&) = delete;

 private:
  gate& of_;
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
