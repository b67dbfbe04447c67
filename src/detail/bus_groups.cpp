// Groups of a bus: who has which name, and that their members agree.
#include <algorithm>
#include <string>
#include <utility>

#include <amphibus/detail/bus_core.hpp>

#include "detail/bus_state.hpp"

namespace amphibus::detail {
namespace {

bool same_interest(const interest& a, const interest& b) noexcept {
  if (a.topic != b.topic || a.pattern != b.pattern) return false;
  return a.type == b.type || (a.type != nullptr && b.type != nullptr && same_type(*a.type, *b.type));
}

[[noreturn]] void refuse(const std::string& group, const std::string& option, const std::string& there,
                         const std::string& here) {
  throw error(error_code::bad_option,
              "group '" + escaped(group) + "' exists with " + option + " " + there + ", and a member asks for " + here,
              "ask for the same in every member of the group, or name another group", {option});
}

std::string described(const queue::overflow_rule& rule) {
  switch (rule.kind) {
    case queue::overflow_kind::block: return "block(" + std::to_string(rule.block_timeout.count()) + " ns)";
    case queue::overflow_kind::fail: return "fail()";
    case queue::overflow_kind::drop_newest: return "drop_newest()";
    case queue::overflow_kind::drop_oldest: return "drop_oldest()";
    case queue::overflow_kind::latest: break;
  }
  return "latest()";
}

void check_equal(const group_terms& there, const group_terms& here) {
  const auto number = [&](const char* option, std::size_t one, std::size_t other) {
    if (one != other) refuse(there.name, option, std::to_string(one), std::to_string(other));
  };
  number(".concurrency", there.concurrency, here.concurrency);
  number(".capacity", there.capacity, here.capacity);
  number(".capacity_bytes", there.capacity_bytes, here.capacity_bytes);
  number(".start", there.history, here.history);
  const queue::overflow_rule& a = there.overflow;
  const queue::overflow_rule& b = here.overflow;
  if (a.kind != b.kind || a.block_timeout != b.block_timeout) {
    refuse(there.name, ".overflow", described(a), described(b));
  }
}

}  // namespace

std::shared_ptr<slot_mailbox> bus_core::find_group_locked(const slot_mailbox& fresh, const group_terms& terms) const {
  if (terms.name.empty()) return nullptr;
  const auto found = std::find_if(own_->groups.begin(), own_->groups.end(), [&](const auto& each) {
    return group_core::of(*each).terms().name == terms.name && same_interest(each->wants(), fresh.wants());
  });
  if (found == own_->groups.end()) return nullptr;
  check_equal(group_core::of(**found).terms(), terms);
  if (current_phase() != phase::open || in_child_of_fork()) {
    throw error(error_code::bus_closed, "subscribe to '" + fresh.wanted_name() + "' on a bus that is closed",
                "subscribe before close(); a child of fork() needs a bus of its own");
  }
  return *found;
}

std::shared_ptr<subscriber_base> bus_core::join_group(std::shared_ptr<slot_mailbox> fresh, std::string name,
                                                      const std::vector<std::shared_ptr<executor_core>>& on,
                                                      bool own_threads) {
  const std::shared_ptr<message_handler> handler = fresh->release_handler();
  const topic_core* mismatched = nullptr;
  std::unique_lock lock(own_->groups_mutex);
  std::shared_ptr<slot_mailbox> inbox = find_group_locked(*fresh, group_core::of(*fresh).terms());
  const bool is_new = inbox == nullptr;
  if (is_new) {
    inbox = fresh;
    group_core::of(*inbox).adopt(*inbox);
  }
  auto joining = std::make_shared<group_member>(shared_from_this(), inbox->wants(), std::move(name), inbox);
  for (const auto& each : on) joining->add_hand(each, handler, own_threads, fresh->priority());
  if (is_new) {
    own_->groups.push_back(inbox);
    try {
      mismatched = subscribe_silently(inbox);  // tells the transports
    } catch (...) {
      own_->groups.pop_back();
      joining->undo();
      throw;
    }
  }
  group_core::of(*inbox).add(joining);
  lock.unlock();  // a callback of an event may do anything
  if (mismatched != nullptr) tell_mismatch(*inbox, mismatched->name(), mismatched->type().name);
  return joining;
}

bool bus_core::leave_group(group_member& who) {
  const std::lock_guard lock(own_->groups_mutex);
  if (!who.group().remove(who)) return false;
  std::erase_if(own_->groups, [&](const auto& each) { return each.get() == &who.group().inbox(); });
  return true;  // the end of the inbox tells the transports
}

std::vector<bus_core::named_group> bus_core::all_groups() const {
  const std::lock_guard lock(own_->groups_mutex);
  std::vector<named_group> out;
  for (const auto& each : own_->groups) {
    const std::string& name = group_core::of(*each).terms().name;
    if (!name.empty()) out.push_back({each->wants(), name});
  }
  return out;
}

}  // namespace amphibus::detail
