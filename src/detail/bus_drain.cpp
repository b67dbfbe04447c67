// Draining and closing a bus: quiescence by counting, then the end of everything in a fixed order.
#include <algorithm>

#include <amphibus/base/barrier.hpp>
#include <amphibus/detail/bus_core.hpp>

#include "detail/bus_state.hpp"

namespace amphibus {

namespace {

std::string describe(drain_status status, const std::vector<left_over>& left) {
  if (status == drain_status::called_from_handler) return "called_from_handler";
  std::string out = status == drain_status::complete ? "complete" : "deadline:";
  for (const left_over& each : left) {
    out += " " + each.subscription + (each.topic.empty() ? "" : " on " + each.topic) + " has " +
           std::to_string(each.count) + ",";
  }
  if (!left.empty()) out.pop_back();
  return out;
}

}  // namespace

bool close_report::complete() const noexcept { return status == drain_status::complete && silent_peers.empty(); }

std::string to_string(const drain_report& report) { return describe(report.status, report.left); }

std::string to_string(const close_report& report) {
  std::string out = describe(report.status, report.left);
  for (const std::string& each : report.silent_peers) out += "; no goodbye from " + each;
  return out;
}

namespace detail {

std::vector<std::shared_ptr<subscriber_base>> bus_core::all_subscribers() const {
  std::vector<std::shared_ptr<subscriber_base>> out;
  {
    const std::lock_guard lock(own_->topics_mutex);
    out = own_->patterns;
  }
  for (const topic_core* topic : all_topics()) {
    for (auto& each : topic->subscribers()) {
      if (each->wants().topic != nullptr) out.push_back(std::move(each));
    }
  }
  return out;
}

std::vector<bus_core::counted> bus_core::all_inboxes() const {
  std::vector<counted> out;
  for (auto& each : all_subscribers()) {
    queue::inbox_base* const inbox = each->waiting_room();
    if (inbox == nullptr) continue;
    std::string of = each->wanted_name();
    std::string name = each->name();
    out.push_back({std::move(of), std::move(name), std::shared_ptr<queue::inbox_base>(std::move(each), inbox)});
  }
  if (const auto joined = links()) {
    std::vector<std::pair<std::string, std::shared_ptr<queue::inbox_base>>> egresses;
    joined->collect(egresses);
    for (auto& [name, inbox] : egresses) out.push_back({"", std::move(name), std::move(inbox)});
  }
  return out;
}

bool bus_core::quiescent() const {
  const std::uint64_t before = version().load(std::memory_order_acquire);
  const auto inboxes = all_inboxes();
  // All finished counts first, then all pushed counts: equal sums mean that nothing was in flight in between, cascades
  // included, because a handler's publishes are pushed before its own message is finished.
  std::uint64_t finished = 0;
  for (const auto& each : inboxes) finished += each.inbox->finished();
  std::uint64_t pushed = 0;
  for (const auto& each : inboxes) pushed += each.inbox->pushed();
  return pushed == finished && held_.load(std::memory_order_seq_cst) == 0 &&
         before == version().load(std::memory_order_acquire);
}

std::vector<left_over> bus_core::left() const {
  std::vector<left_over> out;
  for (const auto& each : all_inboxes()) {
    const std::uint64_t finished = each.inbox->finished();
    const std::uint64_t pending = each.inbox->pushed() - finished;
    if (pending != 0) out.push_back({each.topic, each.name, pending});
  }
  return out;
}

void bus_core::work_ended() noexcept {
  if (own_->drainers.load(std::memory_order_seq_cst) == 0) return;
  const std::lock_guard lock(own_->drain_mutex);
  for (base::parker* each : own_->drain_parkers) each->unpark();
}

drain_report bus_core::drain_until(base::time_point deadline) {
  base::parker here;
  {
    const std::lock_guard lock(own_->drain_mutex);
    own_->drain_parkers.push_back(&here);
  }
  // SYNC(bus.drainers): seq_cst with the heavy barrier of prepare_to_sleep(): either the executor that sleeps sees us,
  // or we see what it finished.
  own_->drainers.fetch_add(1, std::memory_order_seq_cst);
  base::heavy_barrier();
  bool done = quiescent();
  while (!done && clock_.park_until(here, deadline)) done = quiescent();
  done = done || quiescent();
  own_->drainers.fetch_sub(1, std::memory_order_seq_cst);
  const std::lock_guard lock(own_->drain_mutex);
  std::erase(own_->drain_parkers, &here);
  return done ? drain_report{} : drain_report{drain_status::deadline, left()};
}

bool bus_core::inside_own_handler() const noexcept {
  for (const frame* each = current_frame; each != nullptr; each = each->outer) {
    if (&each->bus == this) return true;
  }
  return false;
}

drain_report bus_core::drain(base::duration limit) {
  if (inside_own_handler()) return {drain_status::called_from_handler, {}};
  if (current_phase() == phase::closed || in_child_of_fork()) return {};
  return drain_until(base::deadline_after(clock_.now(), limit));
}

void bus_core::enter_phase(phase next) {
  phase_.store(next, std::memory_order_release);
  bump_version();
  base::heavy_barrier();
  for (topic_core* topic : all_topics()) topic->wait_for_publishers();
  for (const auto& each : all_inboxes()) each.inbox->credit().notify_all();
  budget_->credit().notify_all();
}

close_report bus_core::close(base::duration limit) {
  if (inside_own_handler()) return {drain_status::called_from_handler, {}, {}};
  if (in_child_of_fork()) return {};
  const std::lock_guard once(own_->close_mutex);
  if (current_phase() == phase::closed) return {};
  const base::time_point deadline = base::deadline_after(clock_.now(), limit);
  enter_phase(phase::closing);
  drain_report drained = drain_until(deadline);
  close_report out{drained.status, std::move(drained.left), {}};
  const auto joined = links();
  if (joined) out.silent_peers = joined->close(deadline);
  enter_phase(phase::closed);
  end_everything();
  return out;
}

void bus_core::end_everything() {
  std::vector<std::shared_ptr<slot_mailbox>> groups;
  {
    const std::lock_guard lock(own_->groups_mutex);
    groups = own_->groups;
  }
  for (const auto& each : groups) group_core::of(*each).end_members();
  for (const auto& each : all_subscribers()) each->end();
  std::vector<std::shared_ptr<executor_core>> stopping;
  {
    const std::lock_guard lock(own_->executors_mutex);
    stopping.swap(own_->executors);
    std::move(own_->dedicated.begin(), own_->dedicated.end(), std::back_inserter(stopping));
    own_->dedicated.clear();
    own_->serial.reset();
  }
  for (const auto& each : stopping) each->stop();
  for (const auto& each : stopping) each->join();
  own_->timers.stop();
  set_links(nullptr);
  // Publishers may outlive the bus; what they keep must not keep the bus.
  for (topic_core* topic : all_topics()) {
    for (const auto& each : topic->outlets()) each->let_go();
    topic->stop_retaining();
  }
}

}  // namespace detail
}  // namespace amphibus
