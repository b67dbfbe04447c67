#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

namespace support {

/// State that one thread changes and another waits for; the test's timeout is the watchdog.
class watched {
 public:
  void change(const std::function<void()>& how) {
    {
      const std::lock_guard lock(mutex_);
      how();
    }
    changed_.notify_all();
  }
  void wait(const std::function<bool()>& until) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, until);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// Closed until open() is called; handlers wait at it.
class barrier {
 public:
  void open() {
    state_.change([this] { open_ = true; });
  }
  void pass() {
    state_.change([this] { ++waiting_; });
    state_.wait([this] { return open_; });
  }
  /// Returns when somebody waits at it.
  void wait_for_visitor() {
    state_.wait([this] { return waiting_ > 0; });
  }

 private:
  watched state_;
  bool open_ = false;
  int waiting_ = 0;
};

}  // namespace support
