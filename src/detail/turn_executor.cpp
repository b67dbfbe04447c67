#include "detail/turn_executor.hpp"

#include <algorithm>
#include <utility>

#include <amphibus/base/barrier.hpp>
#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/mailbox.hpp>

namespace amphibus::detail {

void turn_executor::poke() noexcept {
  for (auto& each : take_stalled()) enqueue(std::move(each), true);
}

std::vector<std::shared_ptr<mailbox_base>> turn_executor::take_stalled() {
  std::vector<std::shared_ptr<mailbox_base>> out;
  const std::lock_guard lock(stalled_mutex_);
  ++pokes_;
  for (auto& each : stalled_) out.push_back(std::move(each.who));
  stalled_.clear();
  return out;
}

turn_executor::turn turn_executor::begin(std::shared_ptr<mailbox_base> who) {
  const std::lock_guard lock(stalled_mutex_);
  return {std::move(who), pokes_};
}

bool turn_executor::add_stalled(turn& of, base::time_point deadline) {
  const std::lock_guard lock(stalled_mutex_);
  if (of.pokes != pokes_) return false;  // the poke may have been for it
  stalled_.push_back({of.who, deadline});
  return true;
}

base::time_point turn_executor::stall_deadline() const {
  const std::lock_guard lock(stalled_mutex_);
  auto earliest = base::time_point::max();
  for (const auto& each : stalled_) earliest = std::min(earliest, each.deadline);
  return earliest;
}

void turn_executor::finish(turn of, std::size_t handled) {
  if (of.who->stalled()) {
    const auto deadline = of.who->stall_deadline();
    if (add_stalled(of, deadline)) return watch(*of.who, deadline);
    return enqueue(std::move(of.who), false);
  }
  if (handled != 0 && !of.who->ended()) return enqueue(std::move(of.who), false);
  let_go_if_empty(std::move(of.who));
}

void turn_executor::let_go_if_empty(std::shared_ptr<mailbox_base> who) {
  // What ended is woken for nothing any more; where subscriptions come and go fast, the barrier would be all that is
  // done.
  if (who->ended() && !who->holds_back()) {
    who->bounds().rest();
    return who->core().work_ended();
  }
  who->bounds().deactivate();
  base::heavy_barrier();
  if (!who->has_work()) {
    who->bounds().rest();
    return who->core().work_ended();
  }
  // False: a producer was faster, and it is queued already.
  if (who->bounds().reactivate()) enqueue(std::move(who), false);
}

}  // namespace amphibus::detail
