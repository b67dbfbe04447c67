#include "scenario.hpp"

#include <algorithm>

namespace amphibus::testing {

scenario::scenario(const subject& of, reporter& to, const world_options& options)
    : subject_(of), reporter_(to), world_(of, options) {
  for (std::size_t i = 0; i != world_.bus_count(); ++i) {
    world_.at(i).on_event([this](const event& what) { events_changed_.change([&] { events_.push_back(what); }); });
  }
}

void scenario::wait_for(std::uint32_t reader, std::uint64_t count) {
  check(past_.wait_for(reader, count, watched::patience), "waited in vain: reader " + std::to_string(reader) + " has " +
                                                              std::to_string(past_.received_count(reader)) +
                                                              " messages instead of " + std::to_string(count));
}

bool scenario::claimed(history_fault_kind kind) const noexcept {
  switch (kind) {
    case history_fault_kind::loss: return subject_.promises.lossless_while_connected;
    case history_fault_kind::duplicate: return subject_.promises.free_of_duplicates;
    case history_fault_kind::reordering: return subject_.promises.ordered_per_source;
    case history_fault_kind::wrong_count:
      return subject_.promises.counts_losses && subject_.promises.lossless_while_connected;
    default: return true;
  }
}

void scenario::judge(std::uint64_t excused) {
  world_.close();
  std::uint64_t lost = 0;
  bool faults = false;
  for (const history_fault& each : past_.verdict()) {
    const bool given_up = excused != 0 && each.kind == history_fault_kind::loss;
    lost += given_up ? each.count : 0;
    // What never entered an inbox is told by events and counters; lost_before speaks of what was dropped there.
    const bool told_elsewhere = excused != 0 && each.kind == history_fault_kind::wrong_count;
    if (!given_up && !told_elsewhere && claimed(each.kind)) {
      reporter_.failed(to_string(each));
      faults = true;
    }
  }
  if (faults) report_events();
  check(lost == excused,
        std::to_string(lost) + " messages are lost, but " + std::to_string(excused) + " were counted as given up");
}

void scenario::report_events() {
  events_changed_.change([this] {
    constexpr std::size_t shown_max = 10;
    const std::size_t first = events_.size() - std::min(events_.size(), shown_max);
    for (std::size_t i = first; i != events_.size(); ++i) reporter_.failed("was told: " + to_string(events_[i]));
  });
}

std::uint64_t scenario::told(event_kind kind) {
  std::uint64_t out = 0;
  events_changed_.change([&] {
    for (const event& each : events_) out += each.kind == kind ? each.count : 0;
  });
  return out;
}

std::size_t scenario::events_of(event_kind kind) {
  std::size_t out = 0;
  events_changed_.change([&] {
    for (const event& each : events_) out += each.kind == kind ? 1 : 0;
  });
  return out;
}

bool scenario::wait_for_event(event_kind kind) {
  return events_changed_.wait([&] {
    return std::any_of(events_.begin(), events_.end(), [&](const event& each) { return each.kind == kind; });
  });
}

}  // namespace amphibus::testing
