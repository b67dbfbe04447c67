#pragma once

#include <memory>
#include <mutex>

#include <amphibus/detail/timed.hpp>
#include <amphibus/posting_executor.hpp>

#include "detail/turn_executor.hpp"

namespace amphibus::detail {

/// Posts turns to an executor of the user's. Thread: safe.
class posting_core final : public turn_executor, public timed, public std::enable_shared_from_this<posting_core> {
 public:
  explicit posting_core(std::unique_ptr<callback<amphibus::turn>> post);

  void run(std::shared_ptr<mailbox_base> who) noexcept;
  void time_has_come(base::time_point when) noexcept override;

 private:
  void enqueue(std::shared_ptr<mailbox_base> who, bool from_outside) override;
  void watch(mailbox_base& who, base::time_point deadline) override;

  const std::unique_ptr<callback<amphibus::turn>> post_;
  std::mutex asked_mutex_;
  asked_times asked_;  // for the deadlines of what is stalled
};

}  // namespace amphibus::detail
