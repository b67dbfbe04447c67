#include <amphibus/base/wait_until.hpp>

namespace amphibus::base {

bool wait_until(clock& time, time_point deadline, const std::stop_token& stop) {
  parker here;
  // Its destructor waits for a call in progress, so no unpark comes after `here` has ended.
  const std::stop_callback wake(stop, [&here] { here.unpark(); });
  while (!stop.stop_requested()) {
    if (!time.park_until(here, deadline)) return !stop.stop_requested();
  }
  return false;
}

}  // namespace amphibus::base
