#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <amphibus/detail/executor_core.hpp>
#include <amphibus/pool.hpp>

namespace amphibus::detail {

/// Several threads that take turns with the mailboxes that have something.
///
/// A mailbox is in one place at a time: with the worker that runs it, in `ready_`, in `stalled_`, or nowhere because it
/// is empty and its next publisher will call ready(). Before a worker lets go of an empty one it makes it stop
/// promising to look and looks once more, as a thread of its own would before it sleeps. Thread: safe.
class pool_executor final : public executor_core {
 public:
  pool_executor(std::string name, pool_options options);
  ~pool_executor() override;

  void ready(std::shared_ptr<mailbox_base> who) override;
  /// What held publishes back may have room again: every stalled mailbox gets a turn.
  void poke() noexcept override;
  void stop() noexcept override;
  bool join() override;
  [[nodiscard]] const pool_options& options() const noexcept { return options_; }

 private:
  struct worker {
    base::parker parker;
    std::thread thread;
  };
  struct stalled {
    std::shared_ptr<mailbox_base> who;
    base::time_point deadline;  // asked before mutex_ is taken: outlets lock their own
  };
  struct turn {
    std::shared_ptr<mailbox_base> who;
    std::uint64_t pokes = 0;  // before it ran
  };

  void run(worker& self);
  /// The next mailbox; sleeps while there is none. Returns: none when the pool stops.
  turn take(worker& self);
  [[nodiscard]] bool spin_until_ready();
  void finish(turn of, std::size_t handled);
  void let_go_if_empty(std::shared_ptr<mailbox_base> who);
  void enqueue(std::shared_ptr<mailbox_base> who);
  /// Under mutex_. Returns: whom to wake.
  [[nodiscard]] base::parker* pick_idle() noexcept;
  [[nodiscard]] base::time_point stall_deadline() const;

  const pool_options options_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<mailbox_base>> ready_;
  std::atomic<std::size_t> ready_count_{0};
  std::vector<stalled> stalled_;
  std::vector<base::parker*> idle_;
  std::uint64_t pokes_ = 0;
  bool stopping_ = false;
  std::mutex join_mutex_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace amphibus::detail
