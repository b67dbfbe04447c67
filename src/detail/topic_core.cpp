#include <amphibus/detail/topic_core.hpp>

#include <algorithm>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/mailbox.hpp>
#include <amphibus/detail/outlet_base.hpp>

#include "detail/history_keeper.hpp"

namespace amphibus::detail {
namespace {

void hand_over(const any_slot& kept, slot_mailbox& to) {
  if (to.filters() && !to.wants_message(kept.value())) return to.count_filtered();
  to.add_from_before(kept.with_references());
}

}  // namespace

/// Who publishes here, and what those counted that are gone.
struct topic_core::publishing {
  std::vector<outlet_base*> outlets;
  topic_counters retired;
};

/// The way out of the process.
struct topic_core::leaving {
  const std::shared_ptr<egress_inbox> egress;
  std::atomic<bool>& has_dropped;  // the route's
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> expired{0};
  std::atomic<std::uint64_t> unreported{0};
  leaving(std::shared_ptr<egress_inbox> by, std::atomic<bool>& tells) : egress(std::move(by)), has_dropped(tells) {}
};

topic_core::topic_core(std::string name, const type_operations& type) : name_(std::move(name)), type_(type) {}

topic_core::~topic_core() = default;

queue::retain_rule topic_core::retained() const {
  const std::lock_guard lock(mutex_);
  return keeper_ ? keeper_->rule() : queue::retain_rule{};
}

void topic_core::retain(const queue::retain_rule& rule, kept_memory& memory) {
  const std::lock_guard lock(mutex_);
  keeper_ = std::make_shared<history_keeper>(*this, rule, memory);
}

void topic_core::stop_retaining() {
  gone_messages gone;
  {
    const std::lock_guard lock(mutex_);
    if (keeper_) keeper_->clear(gone);
  }
  gone.drop();  // which may do anything
}

receiver_table topic_core::table() const {
  const std::lock_guard lock(mutex_);
  return {subscribers_, wanted_ ? leaving_->egress : nullptr, keeper_.get()};
}

void topic_core::add(std::shared_ptr<subscriber_base> who) {
  const std::lock_guard lock(mutex_);
  const std::size_t history = who->wants().history;
  if (history == 0 || !keeper_) return subscribers_.push_back(std::move(who));
  const std::lock_guard nobody_publishes(keeper_->order());
  auto& box = static_cast<slot_mailbox&>(*who);
  keeper_->each_of_last(history, [&](const any_slot& each) { hand_over(each, box); });
  subscribers_.push_back(std::move(who));
  box.core().bump_version();
}

void topic_core::remove(const subscriber_base& who) {
  const std::lock_guard lock(mutex_);
  std::erase_if(subscribers_, [&](const auto& each) { return each.get() == &who; });
}

void topic_core::set_route(std::size_t route, std::shared_ptr<egress_inbox> egress, std::atomic<bool>& has_dropped) {
  const std::lock_guard lock(mutex_);
  route_ = static_cast<int>(route);
  leaving_ = std::make_shared<leaving>(std::move(egress), has_dropped);
}

void topic_core::count_egress_dropped(std::uint64_t count) noexcept {
  leaving_->dropped.fetch_add(count, std::memory_order_relaxed);
  leaving_->unreported.fetch_add(count, std::memory_order_relaxed);
  leaving_->has_dropped.store(true, std::memory_order_release);
}

void topic_core::count_egress_expired() noexcept { leaving_->expired.fetch_add(1, std::memory_order_relaxed); }

std::uint64_t topic_core::take_egress_dropped() noexcept {
  std::atomic<std::uint64_t>& count = leaving_->unreported;
  return count.load(std::memory_order_relaxed) == 0 ? 0 : count.exchange(0, std::memory_order_acquire);
}

void topic_core::set_remote_interest(bool wanted) {
  const std::lock_guard lock(mutex_);
  wanted_ = wanted;
}

bool topic_core::subscribed() const {
  const std::lock_guard lock(mutex_);
  return !subscribers_.empty();
}

bool topic_core::subscribed_by_name() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(subscribers_.begin(), subscribers_.end(),
                     [](const auto& each) { return !each->wants().reaches_out(); });
}

std::vector<std::shared_ptr<subscriber_base>> topic_core::subscribers() const {
  const std::lock_guard lock(mutex_);
  return subscribers_;
}

void topic_core::add_outlet(outlet_base& who) {
  const std::lock_guard lock(mutex_);
  if (!publishing_) publishing_ = std::make_shared<publishing>();
  publishing_->outlets.push_back(&who);
}

void topic_core::remove_outlet(outlet_base& who) {
  const std::lock_guard lock(mutex_);
  std::erase(publishing_->outlets, &who);
  const topic_counters last = who.counters();
  publishing_->retired.published += last.published;
  publishing_->retired.no_subscribers += last.no_subscribers;
  publishing_->retired.refused += last.refused;
}

std::vector<std::shared_ptr<outlet_base>> topic_core::outlets() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<outlet_base>> out;
  if (!publishing_) return out;
  for (outlet_base* each : publishing_->outlets) {
    if (auto alive = each->weak_from_this().lock()) out.push_back(std::move(alive));
  }
  return out;
}

void topic_core::wait_for_publishers() {
  const std::lock_guard lock(mutex_);
  if (!publishing_) return;
  for (const outlet_base* each : publishing_->outlets) each->gate().wait_outside();
}

topic_counters topic_core::counters() const {
  const std::lock_guard lock(mutex_);
  topic_counters sum;
  if (publishing_) {
    sum = publishing_->retired;
    for (const outlet_base* each : publishing_->outlets) {
      const topic_counters one = each->counters();
      sum.published += one.published;
      sum.no_subscribers += one.no_subscribers;
      sum.refused += one.refused;
    }
  }
  sum.undeliverable = undeliverable_.load(std::memory_order_relaxed);
  if (leaving_) {
    sum.egress_dropped = leaving_->dropped.load(std::memory_order_relaxed);
    sum.egress_expired = leaving_->expired.load(std::memory_order_relaxed);
  }
  if (keeper_) {
    sum.retained = keeper_->kept();
    sum.forgotten = keeper_->forgotten();
  }
  return sum;
}

}  // namespace amphibus::detail
