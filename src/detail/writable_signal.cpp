#include "detail/writable_signal.hpp"

#include <exception>
#include <utility>

#include <amphibus/detail/bus_core.hpp>

namespace amphibus::detail {

writable_signal::writable_signal(std::shared_ptr<bus_core> core, std::shared_ptr<executor_core> on,
                                 std::unique_ptr<action> call)
    : mailbox_base(std::move(core), interest{.pattern = "(on_writable)"}, std::move(on), "on_writable"),
      inbox_base(1, {queue::overflow_kind::drop_newest, {}}),
      call_(std::move(call)) {}

void writable_signal::signal() noexcept {
  due_.store(true, std::memory_order_release);
  announce();
}

std::size_t writable_signal::run() noexcept {
  std::size_t called = 0;
  {
    const std::lock_guard lock(run_mutex_);
    if (ended() || !due_.exchange(false, std::memory_order_acq_rel)) return 0;
    // A frame, so that the publisher may end itself inside; no lane, because there is no message to hold anything with.
    frame here(core(), *this, nullptr, nullptr);
    const bool outer = std::exchange(publish_must_not_wait, true);
    try {
      call_->run();
    } catch (const std::exception& failure) {
      count_failed(failure.what());
    } catch (...) {
      count_failed("an exception that is not a std::exception");
    }
    publish_must_not_wait = outer;
    called = 1;
  }
  if (ended()) finish_own_end();
  return called;
}

void writable_signal::destroy_handler() noexcept {
  std::unique_ptr<action> dying;
  const std::lock_guard lock(run_mutex_);
  dying = std::move(call_);
}

}  // namespace amphibus::detail
