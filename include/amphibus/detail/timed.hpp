#pragma once

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// Who wants to be told at a point of time. Thread: called on a thread of its own; must not block.
class timed {
 public:
  virtual void time_has_come() noexcept = 0;

 protected:
  ~timed() = default;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
