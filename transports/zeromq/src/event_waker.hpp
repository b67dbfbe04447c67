#pragma once

#include <atomic>

#include <amphibus/transport/transport.hpp>

namespace amphibus::zeromq {

/// Wakes a thread that polls, through an eventfd, with one system call per sleep.
class event_waker final : public transport::waker {
 public:
  event_waker();
  ~event_waker();
  void wake() noexcept override;
  /// The polling thread: after waking. What was stored before the wake() is visible.
  void clear() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
  std::atomic<bool> woken_{false};
};

}  // namespace amphibus::zeromq
