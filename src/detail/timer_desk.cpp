#include "detail/timer_desk.hpp"

#include <utility>

#include <amphibus/base/this_thread.hpp>

namespace amphibus::detail {

void timer_desk::start() {
  const std::lock_guard lock(mutex_);
  if (!thread_ && !stopping_) thread_.emplace([this] { run(); });
}

void timer_desk::tell(std::weak_ptr<timed> who, base::time_point when) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    const bool first = entries_.empty() || when < entries_.top().when;
    entries_.push({when, std::move(who)});
    if (!first) return;
  }
  parker_.unpark();
}

void timer_desk::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  parker_.unpark();
  if (thread_ && thread_->joinable()) thread_->join();
}

std::shared_ptr<timed> timer_desk::take_due(base::time_point& next) {
  const std::lock_guard lock(mutex_);
  next = base::time_point::max();
  while (!stopping_ && !entries_.empty()) {
    if (entries_.top().when > clock_.now()) {
      next = entries_.top().when;
      return nullptr;
    }
    auto who = entries_.top().who.lock();
    entries_.pop();
    if (who) return who;
  }
  return nullptr;
}

void timer_desk::run() {
  base::name_this_thread("timers");
  for (;;) {
    auto next = base::time_point::max();
    while (const auto who = take_due(next)) who->time_has_come();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    clock_.park_until(parker_, next);  // remembers a tell() that comes before the sleep
  }
}

}  // namespace amphibus::detail
