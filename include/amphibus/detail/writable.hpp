#pragma once

#include <utility>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class writable_signal;

/// What std::function<void()> would be; <functional> alone is a tenth of the header budget.
class action {
 public:
  virtual ~action() = default;
  virtual void run() = 0;
};

template <class Callable>
class action_of final : public action {
 public:
  explicit action_of(Callable&& callable) : callable_(std::move(callable)) {}
  void run() override { callable_(); }

 private:
  Callable callable_;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
