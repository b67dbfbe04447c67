#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include <amphibus/detail/inline_caller.hpp>

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

/// All of them.
///
/// A caller touches nothing but calls_are_awaited() once it has said that its call returned, because by then whatever
/// the call was about may be gone. So what waits is found here and not there. Either the caller sees that something
/// waits, or who waits sees that the call returned: the caller stores and looks with a light barrier between, add()
/// counts and issues a heavy one, and then its caller looks. Checked by tests/model/calls_model.cpp. Thread: safe.
/// Keeps what waits alive. Out of memory is the end of the program. A child of fork() begins without any.
class call_waiters {
 public:
  static call_waiters& of_process();
  /// `awaited`: what calls_are_awaited() looks at.
  explicit call_waiters(base::atomic<std::uint32_t>& awaited) noexcept : awaited_(awaited) {}
  call_waiters(const call_waiters&) = delete;
  call_waiters& operator=(const call_waiters&) = delete;

  /// Look at the calls after it, not before.
  void add(std::shared_ptr<call_waiter> who) noexcept;
  /// Once or more often, or without add(). Returns: true if it was there.
  bool remove(const call_waiter& who) noexcept;
  void tell(const inline_caller* which) noexcept;

 private:
  using list = std::list<std::shared_ptr<call_waiter>>;
  /// Of the process, around fork().
  void before_fork() { mutex_.lock(); }
  void after_fork() { mutex_.unlock(); }
  void forget_in_child();

  base::atomic<std::uint32_t>& awaited_;
  base::mutex mutex_;
  list waiting_;
};

}  // namespace amphibus::detail
