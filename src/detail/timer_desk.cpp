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

std::shared_ptr<timed> timer_desk::take_due(base::time_point& at) {
  const std::lock_guard lock(mutex_);
  at = base::time_point::max();
  while (!stopping_ && !entries_.empty()) {
    at = entries_.top().when;
    if (at > clock_.now()) return nullptr;
    auto who = entries_.top().who.lock();
    entries_.pop();
    if (who) return who;
    at = base::time_point::max();
  }
  return nullptr;
}

void timer_desk::run() {
  base::name_this_thread("timers");
  for (;;) {
    auto at = base::time_point::max();
    while (const auto who = take_due(at)) who->time_has_come(at);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    clock_.park_until(parker_, at);  // remembers a tell() that comes before the sleep
  }
}

}  // namespace amphibus::detail
