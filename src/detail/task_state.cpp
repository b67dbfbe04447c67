#include <amphibus/detail/task_state.hpp>

#include <utility>

#include <amphibus/detail/frame.hpp>

namespace amphibus::detail {

bool task_state::enter() {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return runner_ == nullptr; });
  if (over_) return false;
  runner_ = &current_frame;
  return true;
}

void task_state::leave() noexcept {
  std::coroutine_handle<> dying;
  {
    const std::lock_guard lock(mutex_);
    runner_ = nullptr;
    if (over_) dying = take_locked();
  }
  left_.notify_all();
  if (dying) dying.destroy();
}

void task_state::end() noexcept {
  std::coroutine_handle<> dying;
  {
    std::unique_lock lock(mutex_);
    over_.store(true, std::memory_order_relaxed);
    if (runner_ == &current_frame) return;  // leave() destroys it
    left_.wait(lock, [this] { return runner_ == nullptr; });
    dying = take_locked();
  }
  if (dying) dying.destroy();
}

std::coroutine_handle<> task_state::take_locked() noexcept { return std::exchange(handle_, nullptr); }

void task_state::finish(std::exception_ptr why) noexcept {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  failure_ = std::move(why);
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
