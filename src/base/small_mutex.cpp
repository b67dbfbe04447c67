#include <amphibus/base/small_mutex.hpp>

namespace amphibus::base {

void small_mutex::lock_contended() noexcept {
  while (word_.exchange(waited_for, std::memory_order_acquire) != open) {
    word_.wait(waited_for, std::memory_order_relaxed);
  }
}

void small_mutex::wake_one() noexcept { word_.notify_one(); }

}  // namespace amphibus::base
