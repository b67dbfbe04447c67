#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <amphibus/detail/bus_core.hpp>

#include "detail/ending_handlers.hpp"
#include "detail/event_desk.hpp"
#include "detail/group_core.hpp"
#include "detail/history_keeper.hpp"
#include "detail/origin_table.hpp"
#include "detail/timer_desk.hpp"

namespace amphibus::detail {

struct bus_core::counted {
  std::string topic;
  std::string name;
  std::shared_ptr<queue::inbox_base> inbox;
};

/// What only the slow paths of a bus need, kept out of the public header.
struct bus_core::own_state {
  own_state(std::string bus_name, std::int64_t kept_max, base::clock& time)
      : name(std::move(bus_name)), kept(kept_max), timers(time) {}

  const std::string name;
  std::mutex close_mutex;

  kept_memory kept;  // by topics: outlives them
  std::mutex topics_mutex;
  std::map<std::string_view, std::unique_ptr<topic_core>> topics;  // by their own names
  std::set<const topic_core*> found_topics;  // made by offer_topic(), and nobody here has named them since
  bool told_too_many_found = false;
  std::vector<std::shared_ptr<subscriber_base>> patterns;
  std::shared_ptr<remote_links> links;
  wire_counters final_bytes;  // of links that are gone

  std::mutex groups_mutex;
  std::vector<std::shared_ptr<slot_mailbox>> groups;  // their inboxes

  std::mutex executors_mutex;
  std::shared_ptr<executor_core> serial;
  std::vector<std::shared_ptr<executor_core>> executors;
  std::vector<std::shared_ptr<executor_core>> dedicated;

  origin_table origins;
  std::mutex threads_mutex;
  std::vector<std::unique_ptr<source>> thread_sources;

  event_desk events;
  timer_desk timers;
  ending_handlers ending;

  std::atomic<std::uint32_t> drainers{0};
  std::mutex drain_mutex;
  std::vector<base::parker*> drain_parkers;
};

}  // namespace amphibus::detail
