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
  void on_event(std::unique_ptr<callback<const event&>> call) { replace(on_event_, std::move(call)); }
  void on_log(std::unique_ptr<callback<std::string_view>> call) { replace(on_log_, std::move(call)); }
  void report(const event& what) noexcept {
    const std::lock_guard lock(mutex_);
    const bool outer = std::exchange(publish_must_not_wait, true);
    // Shared while they run: a callback may replace itself.
    if (const auto call = on_event_) contained([&] { call->call(what); });
    if (const auto call = on_log_) contained([&] { call->call(to_string(what)); });
    publish_must_not_wait = outer;
  }

 private:
  template <class Argument>
  void replace(std::shared_ptr<callback<Argument>>& which, std::unique_ptr<callback<Argument>> by) {
    std::shared_ptr<callback<Argument>> before = std::move(by);  // ends outside the lock
    const std::lock_guard lock(mutex_);
    which.swap(before);
  }
  /// A callback that throws must not take the engine down, and there is nobody left to tell.
  template <class Call>
  static void contained(const Call& call) noexcept {
    try {
      call();
    } catch (...) {
    }
  }

  std::recursive_mutex mutex_;
  std::shared_ptr<callback<const event&>> on_event_;
  std::shared_ptr<callback<std::string_view>> on_log_;
};

}  // namespace amphibus::detail
