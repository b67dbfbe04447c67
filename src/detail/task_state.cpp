#include <amphibus/detail/task_state.hpp>

#include <utility>

#include <amphibus/detail/frame.hpp>

namespace amphibus::detail {

bool task_state::enter() {
  std::unique_lock lock(mutex_);
  // Not while it is being destroyed: what is destroyed may wait for what our caller holds.
  left_.wait(lock, [this] { return runner_ == nullptr || over_ || finished_; });
  if (over_ || finished_) return false;
  runner_ = &current_frame;
  return true;
}

void task_state::leave() noexcept {
  std::unique_lock lock(mutex_);
  if (over_ || finished_) {
    const auto dying = take_locked();
    lock.unlock();
    if (dying) dying.destroy();
    lock.lock();
  }
  runner_ = nullptr;  // not before everything in it is destroyed
  left_.notify_all();
}

void task_state::end() noexcept {
  std::unique_lock lock(mutex_);
  over_.store(true, std::memory_order_relaxed);
  left_.notify_all();
  if (runner_ == &current_frame) return;  // leave() destroys it
  left_.wait(lock, [this] { return runner_ == nullptr; });
  const auto dying = take_locked();
  lock.unlock();
  if (dying) dying.destroy();
}

std::coroutine_handle<> task_state::take_locked() noexcept { return std::exchange(handle_, nullptr); }

void task_state::fail(std::exception_ptr why) noexcept {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(why);
}

bool task_state::finish() noexcept {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  if (runner_ != nullptr) return false;
  handle_ = nullptr;
  return true;
}

std::exception_ptr task_state::failure() const noexcept {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool task_state::finished() const noexcept {
  const std::lock_guard lock(mutex_);
  return finished_;
}

}  // namespace amphibus::detail
