#pragma once

#include <list>
#include <memory>
#include <mutex>

#include <amphibus/detail/inline_calls.hpp>

namespace amphibus::detail {

/// What can only go on when calls of inline handlers returned.
class call_waiter {
 public:
  /// Under the lock of call_waiters.
  [[nodiscard]] virtual bool waits_for(const inline_caller* which) noexcept = 0;
  /// A call that it waits for returned. Says call_waiters::remove() when it waits no longer.
  virtual void call_returned() noexcept = 0;

 protected:
  ~call_waiter() = default;
};

/// All of this process.
///
/// A caller touches nothing but `awaited_calls` once it has said that its call returned, because by then whatever the
/// call was about may be gone. So what waits is found here and not there. Either the caller sees that something waits,
/// or who waits sees that the call returned: the caller stores and looks with a light barrier between, add() counts and
/// issues a heavy one, and then its caller looks. Checked by tests/model/calls_model.cpp. Thread: safe. Keeps what
/// waits alive. Out of memory is the end of the program. A child of fork() begins without any.
class call_waiters {
 public:
  static call_waiters& of_process();

  /// Look at the calls after it, not before.
  void add(std::shared_ptr<call_waiter> who) noexcept;
  /// Once or more often, or without add().
  void remove(const call_waiter& who) noexcept;
  void tell(const inline_caller* which) noexcept;

 private:
  using list = std::list<std::shared_ptr<call_waiter>>;
  call_waiters();
  void forget_in_child();

  std::mutex mutex_;
  list waiting_;
};

}  // namespace amphibus::detail
