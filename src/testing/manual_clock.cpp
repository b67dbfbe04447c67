#include <amphibus/testing/manual_clock.hpp>

#include <algorithm>

namespace amphibus::testing {

base::time_point manual_clock::now() const noexcept {
  const std::lock_guard lock(mutex_);
  return now_;
}

void manual_clock::advance(base::duration by) {
  const std::lock_guard lock(mutex_);
  now_ += by;
  for (sleeper* each : sleepers_) {
    if (each->deadline > now_) continue;
    each->expired = true;
    each->where->unpark();
  }
}

void manual_clock::wait_for_parked(std::size_t count) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      // One whose time has come is on its way: it parks again, if it does, as somebody new.
      const auto parked =
          std::count_if(sleepers_.begin(), sleepers_.end(), [](const auto* each) { return !each->expired; });
      if (static_cast<std::size_t>(parked) >= count) return;
    }
    changed_.park();
  }
}

bool manual_clock::park_until(base::parker& where, base::time_point deadline) noexcept {
  sleeper self{&where, deadline};
  {
    const std::lock_guard lock(mutex_);
    if (deadline <= now_) return false;
    sleepers_.push_back(&self);
  }
  changed_.unpark();
  where.park();
  const std::lock_guard lock(mutex_);
  std::erase(sleepers_, &self);
  return !self.expired;
}

}  // namespace amphibus::testing
