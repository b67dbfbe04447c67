#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <amphibus/detail/executor_core.hpp>

namespace amphibus::detail {

/// What executors have in common whose threads take turns with mailboxes that have something.
///
/// A mailbox is in one place at a time: with who runs it, in the queue of the derived class, among the stalled, or
/// nowhere because it is empty and its next publisher will call ready(). Before an empty one is let go it stops
/// promising to look, and is looked at once more, as a thread of its own would before it sleeps. Thread: safe.
class turn_executor : public executor_core {
 public:
  using executor_core::executor_core;

  void ready(std::shared_ptr<mailbox_base> who) override { enqueue(std::move(who), true); }
  /// What held publishes back may have room again: every stalled mailbox gets a turn.
  void poke() noexcept override;

 protected:
  struct turn {
    std::shared_ptr<mailbox_base> who;
    std::uint64_t pokes = 0;  // before it ran
  };

  /// Queues it for a turn; `from_outside`: nobody who is about to look for one knows of it.
  virtual void enqueue(std::shared_ptr<mailbox_base> who, bool from_outside) = 0;
  /// Something that is stalled has to be looked at again at `deadline`, also if nobody pokes.
  virtual void watch(mailbox_base& who, base::time_point deadline) = 0;

  [[nodiscard]] turn begin(std::shared_ptr<mailbox_base> who);
  /// After it ran and handled so many: decides where it goes.
  void finish(turn of, std::size_t handled);
  /// When the earliest of the stalled has to be looked at.
  [[nodiscard]] base::time_point stall_deadline() const;
  [[nodiscard]] std::vector<std::shared_ptr<mailbox_base>> take_stalled();

 private:
  struct stalled {
    std::shared_ptr<mailbox_base> who;
    base::time_point deadline;  // asked before the lock: outlets have their own
  };

  /// Returns: false if somebody poked since the turn began.
  [[nodiscard]] bool add_stalled(turn& of, base::time_point deadline);
  void let_go_if_empty(std::shared_ptr<mailbox_base> who);

  mutable std::mutex stalled_mutex_;
  std::vector<stalled> stalled_;
  std::uint64_t pokes_ = 0;
};

}  // namespace amphibus::detail
