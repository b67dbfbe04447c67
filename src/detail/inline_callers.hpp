#pragma once

#include <cstdint>
#include <vector>

#include <amphibus/detail/inline_caller.hpp>

namespace amphibus::detail {

/// All who call one inline subscription, and its end, which waits until nobody does.
///
/// Checked by tests/model/calls_model.cpp. Thread: safe.
class inline_callers {
 public:
  /// `who` lives until it parts.
  void join(inline_caller& who);
  void part(inline_caller& who);
  [[nodiscard]] bool includes(const inline_caller* which);
  /// How many messages, also by those who parted.
  [[nodiscard]] std::uint64_t handled();

  /// The subscription has ended, and a heavy barrier is over: who does not call now does not any more.
  void begin_end();
  /// After a call returned, or where there may be none. Returns: true once, when it has ended and nobody calls: the
  /// handler is to be destroyed. tell_all() follows in any case.
  [[nodiscard]] bool take_last();
  void tell_all() noexcept;
  /// Returns when nobody calls, or take_last() was true for somebody. After begin_end().
  void wait_for_last();

 private:
  [[nodiscard]] bool somebody_calls() const;

  base::mutex mutex_;
  std::vector<inline_caller*> callers_;
  std::uint64_t handled_by_parted_ = 0;
  bool ending_ = false;
  bool last_is_taken_ = false;
  base::atomic<std::uint32_t> returned_{0};  // moves with tell_all()
};

}  // namespace amphibus::detail
