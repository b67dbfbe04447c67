#include <amphibus/zeromq/observer.hpp>

#include <algorithm>
#include <cerrno>

#include <amphibus/base/clock.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "sockets.hpp"
#include "watch.hpp"

namespace amphibus::zeromq {
namespace {

constexpr auto turn_max = std::chrono::milliseconds(200);         // timers are this exact …
constexpr auto holding_turn_max = std::chrono::milliseconds(20);  // … and questions that nobody answers yet

}  // namespace

struct observer::state {
  zmq::context_t context;
  std::vector<std::unique_ptr<watch>> watches;
};

observer::observer(observer_options with) : state_(std::make_unique<state>()) {
  if (const auto verdict = wire::check_topic_pattern(with.pattern); !verdict.ok()) {
    throw wire::topic_error(with.pattern, verdict);
  }
  for (const auto& each : with.processes) parse_endpoint(each.endpoint, true).value();
  state_->context.set(zmq::ctxopt::blocky, 0);
  const auto now = base::steady_clock().now();
  for (const auto& each : with.processes) {
    state_->watches.push_back(std::make_unique<watch>(state_->context, each, with, now));
  }
}

observer::~observer() {
  for (const auto& each : state_->watches) each->say_bye();
}

void observer::run_once(std::chrono::milliseconds wait, int wake_descriptor,
                        const std::function<bool(const observed_message&)>& on_message) {
  std::vector<zmq::pollitem_t> polled;
  if (wake_descriptor >= 0) polled.push_back({nullptr, wake_descriptor, ZMQ_POLLIN, 0});
  for (const auto& each : state_->watches) each->add_to(polled);
  const bool holds =
      std::any_of(state_->watches.begin(), state_->watches.end(), [](const auto& each) { return each->holds(); });
  try {
    zmq::poll(polled, std::min<std::chrono::milliseconds>(wait, holds ? holding_turn_max : turn_max));
  } catch (const zmq::error_t& why) {
    if (why.num() != EINTR) throw;  // a debugger, or a stop and a continuation
  }
  const auto now = base::steady_clock().now();
  for (const auto& each : state_->watches) {
    each->receive_control(now);
    each->on_timer(now);
    if (!each->receive_batches(now, on_message)) return;
  }
}

std::vector<observed_process> observer::processes() const {
  std::vector<observed_process> out;
  for (const auto& each : state_->watches) out.push_back(each->seen());
  return out;
}

}  // namespace amphibus::zeromq
