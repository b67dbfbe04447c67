#pragma once

#include <cstddef>
#include <memory>

#include <amphibus/detail/mailbox.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// Wakes the one thread that waits in a receiver; it runs nothing itself.
class pull_executor final : public executor_core {
 public:
  pull_executor() : executor_core("receiver") {}
  void ready(std::shared_ptr<mailbox_base>) override { poke(); }
  void poke() noexcept override { parker_.unpark(); }
  [[nodiscard]] base::parker& parker() noexcept { return parker_; }

 private:
  base::parker parker_;
};

/// The handler of a mailbox that is pulled: nobody calls it.
class no_handler final : public message_handler {
 public:
  void invoke(const void*, std::size_t, frame&, const context&) override {}
  [[nodiscard]] bool takes_batches() const noexcept override { return false; }
};

/// Waits until something may be there. Returns: false at `deadline`, or at once inside a handler, which never waits.
/// `taken`: how many messages were pulled so far.
[[nodiscard]] bool wait_for_messages(mailbox_base& at, pull_executor& by, std::uint64_t taken,
                                     base::time_point deadline);

}  // namespace amphibus::detail
#pragma GCC visibility pop
