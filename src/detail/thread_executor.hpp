#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <amphibus/detail/executor_core.hpp>

namespace amphibus::detail {

class spin_budget;

/// An executor with its own thread, started at once.
class thread_executor final : public executor_core {
 public:
  explicit thread_executor(std::string name);
  ~thread_executor() override;
  void poke() noexcept override { parker_.unpark(); }
  void stop() noexcept override;
  bool join() override;

 private:
  void run();
  bool spin_until_work(const spin_budget& within);

  base::parker parker_;
  std::atomic<bool> stopping_{false};
  std::mutex join_mutex_;
  std::thread thread_;
};

/// An executor that the user runs; its file descriptor is readable while there is something to do.
class loop_executor final : public executor_core {
 public:
  loop_executor();
  ~loop_executor() override;
  void poke() noexcept override;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  std::size_t run_once();
  std::size_t run_until_idle();

 private:
  /// Asserts that nobody else runs it.
  void enter();
  void clear() noexcept;
  int descriptor_;
  std::atomic<bool> running_{false};
};

}  // namespace amphibus::detail
