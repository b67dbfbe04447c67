#include <amphibus/base/barrier.hpp>

#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace amphibus::base {

constinit std::atomic<barrier_mode> detail::chosen_barrier{barrier_mode::fence};

namespace {

#ifdef __linux__
bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

/// Registration must precede the first use; a mode switch while both sides run is safe in this direction only before
/// threads exist, hence a static initialiser.
[[maybe_unused]] const bool registered = [] {
  const bool works = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  if (works) detail::chosen_barrier.store(barrier_mode::membarrier, std::memory_order_relaxed);
  return works;
}();
#endif

}  // namespace

void heavy_barrier() noexcept {
#ifdef __linux__
  if (detail::chosen_barrier.load(std::memory_order_relaxed) == barrier_mode::membarrier) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return;
  }
#endif
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

barrier_mode current_barrier_mode() noexcept { return detail::chosen_barrier.load(std::memory_order_relaxed); }

void use_fence_barrier() noexcept { detail::chosen_barrier.store(barrier_mode::fence, std::memory_order_relaxed); }

}  // namespace amphibus::base
