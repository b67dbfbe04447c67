#include "replayer.hpp"

#include <variant>

#include <amphibus/base/wait_until.hpp>

namespace flight {
namespace {

/// A slow receiver holds the replay up; nothing is left out. Returns: false when the bus closed or `stop` was
/// requested.
template <class T>
bool deliver(amphibus::publisher<T>& out, const T& message, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto status = out.publish(message);
    if (status != amphibus::publish_status::would_block) return status != amphibus::publish_status::closed;
  }
  return false;
}

}  // namespace

replayer::replayer(amphibus::bus& to, flight_log log, speed at, amphibus::base::clock& time)
    : log_(std::move(log)), speed_(at), time_(time), streams_(open(to, recorded)) {}

void replayer::start() { started_ = time_.now(); }

amphibus::base::time_point replayer::next_due() const noexcept {
  if (speed_ == speed::full) return started_;
  const std::chrono::microseconds into_log(log_[next_].log_us - log_.front().log_us);
  return started_ + (speed_ == speed::ten_times ? amphibus::base::duration(into_log) / 10 : into_log);
}

template <class T>
bool replayer::publish(T& message, const std::stop_token& stop) {
  auto& to = std::get<stream<T>>(streams_);
  message.number = to.sent;
  if (!deliver(to.out, message, stop)) return false;
  if (message.end) return true;
  ++to.sent;
  to.sum.add(message);
  return true;
}

bool replayer::publish_due(const std::stop_token& stop) {
  for (auto now = time_.now(); !finished() && next_due() <= now; ++next_) {
    const auto due = speed_ == speed::full ? now : next_due();
    const bool accepted = std::visit(
        [&](auto& message) {
          message.due_ns = std::chrono::nanoseconds(due.time_since_epoch()).count();
          return publish(message, stop);
        },
        log_[next_].message);
    if (!accepted) return false;
    if (speed_ == speed::full) now = time_.now();
  }
  return true;
}

bool replayer::publish_ends(const std::stop_token& stop) {
  const auto end = [&]<class T>(const stream<T>&) {
    T message;
    message.end = true;
    return publish(message, stop);
  };
  return std::apply([&](const auto&... each) { return (end(each) && ...); }, streams_);
}

bool replay(replayer& from, amphibus::base::clock& time, const std::stop_token& stop) {
  from.start();
  while (!from.finished()) {
    if (!amphibus::base::wait_until(time, from.next_due(), stop) || !from.publish_due(stop)) return false;
  }
  return from.publish_ends(stop);
}

}  // namespace flight
