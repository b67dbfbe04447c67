#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <mutex>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// A coroutine that somebody owns: whether it runs, and that it is over.
///
/// Who resumes it enters first and leaves when it is suspended again; who ends it waits for that, and afterwards nobody
/// enters any more. What it holds is destroyed when it has finished, also before its end. Thread: safe. Lifetime:
/// shared by the owner and by who is about to resume it.
class task_state {
 public:
  explicit task_state(std::coroutine_handle<> of) noexcept : handle_(of) {}
  task_state(const task_state&) = delete;
  task_state& operator=(const task_state&) = delete;

  /// Returns: false if it is over, and must not be resumed.
  [[nodiscard]] bool enter();
  /// It is suspended again, or finished; then, or if its end has begun, it is destroyed here.
  void leave() noexcept;
  /// Destroys it when it does not run any more; called by itself, as soon as it is suspended. Idempotent.
  void end() noexcept;
  /// True from the beginning of its end on: it has to suspend itself at once. Thread: its own.
  [[nodiscard]] bool is_over() const noexcept { return over_.load(std::memory_order_relaxed); }

  /// It threw.
  void fail(std::exception_ptr why) noexcept;
  /// It returned or threw. Returns: true if it has never waited, and so destroys itself now; else leave() does.
  [[nodiscard]] bool finish() noexcept;
  [[nodiscard]] bool finished() const noexcept;
  [[nodiscard]] std::exception_ptr failure() const noexcept;

 private:
  [[nodiscard]] std::coroutine_handle<> take_locked() noexcept;

  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::coroutine_handle<> handle_;  // null: destroyed
  const void* runner_ = nullptr;    // what only its thread has: the address of its current_frame; null: it is suspended
  std::atomic<bool> over_{false};
  bool finished_ = false;
  std::exception_ptr failure_;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
