#include "guard_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <amphibus/base/this_thread.hpp>

namespace amphibus::zeromq {

void watch_guard(connection_guard& guard, std::vector<zmq::pollitem_t>& watched) {
  watched.push_back({guard.events().handle(), 0, ZMQ_POLLIN, 0});
  const int arrivals = guard.arrivals();
  if (arrivals >= 0) watched.push_back({nullptr, arrivals, ZMQ_POLLIN, 0});
}

base::duration time_left(base::time_point timer, const base::clock& clock) {
  if (timer == base::time_point::max()) return base::duration::max();
  return std::max(timer - clock.now(), base::duration{});
}

std::chrono::milliseconds poll_time(base::duration left) {
  if (left == base::duration::max()) return std::chrono::milliseconds(-1);
  return std::chrono::ceil<std::chrono::milliseconds>(left);
}

guard_thread::guard_thread(std::vector<std::unique_ptr<connection_guard>> guards, base::clock& clock,
                           std::function<void(std::size_t)> on_cut)
    : guards_(std::move(guards)), clock_(clock), on_cut_(std::move(on_cut)), thread_([this] { run(); }) {}

guard_thread::~guard_thread() {
  stop_requested_.store(true, std::memory_order_release);
  waker_.wake();
  thread_.join();
}

void guard_thread::run() {
  base::block_signals_in_this_thread();
  while (!stop_requested_.load(std::memory_order_acquire)) {
    std::size_t cut = 0;
    for (const auto& each : guards_) cut += each->work();
    if (cut != 0) on_cut_(cut);
    sleep();
  }
}

void guard_thread::sleep() {
  std::vector<zmq::pollitem_t> watched{{nullptr, waker_.descriptor(), ZMQ_POLLIN, 0}};
  auto timer = base::time_point::max();
  for (const auto& each : guards_) {
    watch_guard(*each, watched);
    timer = std::min(timer, each->next_timer());
  }
  try {
    zmq::poll(watched, poll_time(time_left(timer, clock_)));
  } catch (const zmq::error_t& why) {
    if (why.num() != EINTR) throw;  // a debugger, or a stop and a continuation
  }
}

}  // namespace amphibus::zeromq
