#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include <amphibus/base/event.hpp>
#include <amphibus/detail/bus_core.hpp>

namespace amphibus::detail {

/// Hands events to the user's callbacks, one at a time. Recursive: a callback may cause an event.
class event_desk {
 public:
  void on_event(std::unique_ptr<callback<const event&>> call) {
    const std::lock_guard lock(mutex_);
    on_event_ = std::move(call);
  }
  void on_log(std::unique_ptr<callback<std::string_view>> call) {
    const std::lock_guard lock(mutex_);
    on_log_ = std::move(call);
  }
  void report(const event& what) noexcept {
    const std::lock_guard lock(mutex_);
    const bool outer = std::exchange(publish_must_not_wait, true);
    try {
      if (on_event_) on_event_->call(what);
      if (on_log_) on_log_->call(to_string(what));
    } catch (...) {
      // A callback that throws must not take the engine down, and there is nobody left to tell.
      ++failed_callbacks_;
    }
    publish_must_not_wait = outer;
  }

 private:
  std::recursive_mutex mutex_;
  std::unique_ptr<callback<const event&>> on_event_;
  std::unique_ptr<callback<std::string_view>> on_log_;
  std::uint64_t failed_callbacks_ = 0;
};

}  // namespace amphibus::detail
