#pragma once

#include <atomic>
#include <memory>

#include <amphibus/detail/mailbox.hpp>
#include <amphibus/detail/writable.hpp>

namespace amphibus::detail {

/// Calls a publisher's on_writable() on the serial executor. To the executor it is a mailbox whose one message is
/// "there is room", which many refusals share.
class writable_signal final : public mailbox_base, public queue::inbox_base {
 public:
  writable_signal(std::shared_ptr<bus_core> core, std::shared_ptr<executor_core> on, std::unique_ptr<action> call);

  /// From any thread; never blocks, runs nothing.
  void signal() noexcept;

  std::size_t run() noexcept override;
  [[nodiscard]] queue::inbox_base& bounds() noexcept override { return *this; }
  [[nodiscard]] bool has_work() noexcept override { return due_.load(std::memory_order_acquire); }
  [[nodiscard]] delivery_kind kind() const noexcept override { return delivery_kind::in_publisher; }

 protected:
  void activated() noexcept override { executor().ready(shared_mailbox()); }
  void destroy_handler() noexcept override;
  void discard_queue() noexcept override {}

 private:
  std::unique_ptr<action> call_;
  std::atomic<bool> due_{false};
};

}  // namespace amphibus::detail
