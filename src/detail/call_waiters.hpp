#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <amphibus/detail/inline_calls.hpp>

namespace amphibus::detail {

/// What can only go on when calls of inline handlers returned.
class call_waiter {
 public:
  /// A call of `which`, which may be gone by now, returned. Says call_waiters::remove() when it waits no longer.
  virtual void call_returned(const inline_caller* which) noexcept = 0;

 protected:
  ~call_waiter() = default;
};

/// All of this process.
///
/// A caller touches nothing but `awaited_calls` once it has said that its call returned, because by then whatever the
/// call was about may be gone. So what waits is found here and not there. Either the caller sees that something waits,
/// or who waits sees that the call returned: the caller stores and looks with a light barrier between, add() counts and
/// issues a heavy one, and then its caller looks. Checked by tests/model/calls_model.cpp. Thread: safe. Keeps what
/// waits alive.
class call_waiters {
 public:
  static call_waiters& of_process();

  /// Look at the calls after it, not before.
  void add(std::shared_ptr<call_waiter> who);
  /// Once or more often, or without add().
  void remove(const call_waiter& who) noexcept;
  void tell(const inline_caller* which) noexcept;

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<call_waiter>> waiting_;
};

}  // namespace amphibus::detail
