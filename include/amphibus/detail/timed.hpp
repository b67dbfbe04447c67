#pragma once

#include <algorithm>
#include <vector>

#include <amphibus/base/time.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// Who wants to be told at a point of time. Thread: called on a thread of its own; must not block.
class timed {
 public:
  virtual void time_has_come(base::time_point when) noexcept = 0;

 protected:
  ~timed() = default;
};

/// The times at which somebody will be told, so that he asks for none that an earlier one serves as well: whoever is
/// told looks at everything, and asks anew. Short, however many ask. Thread: confined.
class asked_times {
 public:
  /// Returns: true if he has to ask for `when`; false for one that never comes, and where an earlier one is due.
  [[nodiscard]] bool add(base::time_point when) {
    if (when == base::time_point::max()) return false;
    if (std::any_of(times_.begin(), times_.end(), [&](base::time_point each) { return each <= when; })) return false;
    times_.push_back(when);
    return true;
  }
  void remove(base::time_point when) noexcept { std::erase(times_, when); }

 private:
  std::vector<base::time_point> times_;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
