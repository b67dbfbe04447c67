#include "event_waker.hpp"

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include <amphibus/base/error.hpp>

namespace amphibus::zeromq {

event_waker::event_waker() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ >= 0) return;
  throw error(error_code::out_of_descriptors, "the system gives this process no further file descriptor",
              "raise the limit of open files (ulimit -n)", {"zeromq"});
}
event_waker::~event_waker() { ::close(descriptor_); }

void event_waker::wake() noexcept {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void event_waker::clear() noexcept {
  if (!woken_.load(std::memory_order_relaxed)) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(descriptor_, &count, sizeof count);
  woken_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace amphibus::zeromq
