#pragma once

#include <atomic>

#include <amphibus/base/atomic.hpp>

#pragma GCC visibility push(default)
namespace amphibus::base {

#ifndef AMPHIBUS_ATOMICS  // which brings its own
/// How a heavy barrier reaches the other threads.
enum class barrier_mode : unsigned char {
  fence,       ///< both sides pay a full fence: portable fallback
  membarrier,  ///< the rare side interrupts the frequent side: Linux membarrier(PRIVATE_EXPEDITED)
};

namespace detail {
// Decided once before main() by a constant initialiser + start-up registration; `fence` until then, which is always
// safe.
extern std::atomic<barrier_mode> chosen_barrier;
}  // namespace detail

/// What light_barrier() is for who knows that the mode is membarrier.
[[gnu::always_inline]] inline void compiler_barrier() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

/// The frequent side: keeps the stores before it visible to a thread that issues heavy_barrier() before it looks,
/// or makes the loads after it see what that thread stored before. A compiler barrier where membarrier works.
inline void light_barrier() noexcept {
  if (detail::chosen_barrier.load(std::memory_order_relaxed) == barrier_mode::membarrier) [[likely]] {
    compiler_barrier();
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

/// The rare side: 0.3 us alone, about 12 us while another thread of the process runs.
void heavy_barrier() noexcept;

/// What this process uses; shown by `--describe`.
barrier_mode current_barrier_mode() noexcept;

/// Forces the portable fallback. Precondition: no bus exists. For tests, and for kernels whose membarrier misbehaves.
void use_fence_barrier() noexcept;
#endif

}  // namespace amphibus::base
#pragma GCC visibility pop
