#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace amphibus::detail {

class mailbox_base;

/// Mailboxes that wait for a turn, by priority; of one priority, first come, first served.
///
/// Starvation bound: once `passed_over_max` turns went to higher priorities while one of a lower priority waited, the
/// next turn is for that priority. Thread: confined.
class ready_queue {
 public:
  ready_queue(std::size_t priorities, std::size_t passed_over_max)
      : levels_(priorities), passed_over_max_(passed_over_max) {}

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// A priority that is not there counts as the highest that is.
  void push(std::shared_ptr<mailbox_base> who, std::size_t priority) {
    levels_[std::min(priority, levels_.size() - 1)].waiting.push_back(std::move(who));
    ++size_;
  }
  /// Precondition: not empty.
  [[nodiscard]] std::shared_ptr<mailbox_base> pop() {
    level& from = next();
    for (level* each = levels_.data(); each != &from; ++each) each->passed_over += each->waiting.empty() ? 0 : 1;
    from.passed_over = 0;
    auto out = std::move(from.waiting.front());
    from.waiting.pop_front();
    --size_;
    return out;
  }

 private:
  struct level {
    std::deque<std::shared_ptr<mailbox_base>> waiting;
    std::size_t passed_over = 0;  // turns of higher ones since its last, while something waited
  };

  [[nodiscard]] level& next() noexcept {
    level* highest = nullptr;
    for (level& each : levels_) {
      if (each.waiting.empty()) continue;
      if (each.passed_over >= passed_over_max_) return each;
      highest = &each;
    }
    return *highest;
  }

  std::vector<level> levels_;  // lowest first
  const std::size_t passed_over_max_;
  std::size_t size_ = 0;
};

}  // namespace amphibus::detail
