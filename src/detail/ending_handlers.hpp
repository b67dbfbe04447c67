#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include <amphibus/base/assert.hpp>
#include <amphibus/detail/frame.hpp>
#include <amphibus/detail/subscriber.hpp>

namespace amphibus::detail {

/// Handlers that wait for the end of another subscription. Two that wait for each other would wait for ever: a bug of
/// the program, found here and named.
class ending_handlers {
 public:
  /// This thread, inside a handler, is about to wait until `target` does not run.
  void begin(const subscriber_base& target) {
    const std::lock_guard lock(mutex_);
    const subscriber_base* next = &target;
    while (const waiting* other = whoever_runs(*next)) {
      next = other->target;
      if (on_stack(current_frame, *next)) fail(*next, target);
    }
    waiting_.push_back({current_frame, &target});
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [](const waiting& each) { return each.stack == current_frame; });
  }

 private:
  struct waiting {
    const frame* stack;
    const subscriber_base* target;
  };

  static bool on_stack(const frame* top, const subscriber_base& who) noexcept {
    for (; top != nullptr; top = top->outer) {
      if (&top->owner == &who) return true;
    }
    return false;
  }
  const waiting* whoever_runs(const subscriber_base& who) const noexcept {
    const auto found =
        std::find_if(waiting_.begin(), waiting_.end(), [&](auto& each) { return on_stack(each.stack, who); });
    return found == waiting_.end() ? nullptr : &*found;
  }
  [[noreturn]] static void fail(const subscriber_base& one, const subscriber_base& other) {
    const std::string what = "the handlers of subscriptions '" + one.name() + "' and '" + other.name() +
                             "' destroy each other's subscription and would wait for ever";
    base::assertion_failed(what.c_str(), __FILE__, __LINE__);
  }

  std::mutex mutex_;
  std::vector<waiting> waiting_;
};

}  // namespace amphibus::detail
