#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <amphibus/pool.hpp>

#include "detail/ready_queue.hpp"
#include "detail/turn_executor.hpp"

namespace amphibus::detail {

/// Several threads that take turns with the mailboxes that have something.
///
/// One thread is woken for each mailbox that others bring; what a thread puts back itself wakes nobody, because it
/// looks for its next turn at once. Thread: safe.
class pool_executor final : public turn_executor {
 public:
  pool_executor(std::string name, pool_options options);
  ~pool_executor() override;

  void stop() noexcept override;
  bool join() override;
  [[nodiscard]] const pool_options& options() const noexcept { return options_; }

 private:
  struct worker {
    base::parker parker;
    std::thread thread;
  };

  void enqueue(std::shared_ptr<mailbox_base> who, bool from_outside) override;
  void watch(mailbox_base& who, base::time_point deadline) override;
  void run(worker& self);
  /// The next mailbox; sleeps while there is none. Returns: none when the pool stops.
  turn take(worker& self);
  [[nodiscard]] bool spin_until_ready();
  /// Under mutex_. Returns: whom to wake.
  [[nodiscard]] base::parker* pick_idle() noexcept;

  const pool_options options_;
  std::mutex mutex_;
  ready_queue ready_;
  std::atomic<std::size_t> ready_count_{0};
  std::vector<base::parker*> idle_;
  bool stopping_ = false;
  bool collected_ = false;  // nobody looks any more
  std::mutex join_mutex_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace amphibus::detail
