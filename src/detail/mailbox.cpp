#include <amphibus/detail/mailbox.hpp>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/outlet_base.hpp>
#include <amphibus/detail/topic_core.hpp>

#include "detail/ending_handlers.hpp"

namespace amphibus {

namespace {

constexpr auto drop_report_interval = std::chrono::seconds(1);

}  // namespace

std::string_view context::topic() const noexcept { return topic_->name(); }

wire::envelope context::envelope() const { return bus_.envelope_of(message_); }

message_id context::id() const { return bus_.id_of(message_); }
message_id context::correlation() const { return envelope().correlation; }
message_id context::causation() const { return envelope().causation; }
source_id context::source() const { return bus_.id_of(message_).source; }
std::uint64_t context::lost_before() const { return envelope().lost_before; }
base::duration context::time_left() const { return envelope().time_left; }
std::string_view context::key() const { return envelope().attributes.key(); }
std::optional<std::string_view> context::header(std::string_view name) const {
  return envelope().attributes.find(name);
}
std::size_t context::header_count() const { return envelope().attributes.header_count(); }
header context::header_at(std::size_t position) const { return envelope().attributes.header_at(position); }

namespace detail {

subscriber_base::subscriber_base(std::shared_ptr<bus_core> core, interest to, std::string name)
    : core_(std::move(core)), to_(std::move(to)), name_(std::string_view(name)) {}  // without spare capacity

subscriber_base::~subscriber_base() = default;

const std::string& subscriber_base::wanted_name() const noexcept {
  return to_.topic != nullptr ? to_.topic->name() : to_.pattern;
}

void subscriber_base::count_failed(const char* what, std::uint64_t count) noexcept {
  failed_.fetch_add(count, std::memory_order_relaxed);
  core_->report({event_kind::handler_failed, wanted_name(), name_, "", count, escaped(what)});
}

void subscriber_base::tell_expired(std::uint64_t count) noexcept {
  core_->report({event_kind::expired, wanted_name(), name_, "", count,
                 "their deadline had passed when their turn came: handle faster, or give them a later deadline"});
}

bool subscriber_base::on_this_stack() const noexcept {
  for (const frame* each = current_frame; each != nullptr; each = each->outer) {
    if (&each->owner == this) return true;
  }
  return false;
}

bool subscriber_base::begin_destroying() noexcept {
  auto expected = callable::alive;
  if (!callable_.compare_exchange_strong(expected, callable::dying, std::memory_order_relaxed)) return false;
  destroyer_.store(&current_frame, std::memory_order_relaxed);
  return true;
}

void subscriber_base::destroyed() noexcept {
  callable_.store(callable::gone, std::memory_order_release);  // SYNC(subscriber.callable): what its destructor did
  callable_.notify_all();
}

void subscriber_base::wait_until_destroyed() {
  if (destroyer_.load(std::memory_order_relaxed) == &current_frame) return;
  const bool inside = current_frame != nullptr;
  if (inside) core().ending().begin(*this);
  for (auto now = callable_.load(std::memory_order_acquire); now != callable::gone;  // SYNC(subscriber.callable)
       now = callable_.load(std::memory_order_acquire)) {
    callable_.wait(now, std::memory_order_acquire);
  }
  if (inside) core().ending().finish();
}

mailbox_base::mailbox_base(std::shared_ptr<bus_core> core, interest to, std::shared_ptr<executor_core> on,
                           std::string name)
    : subscriber_base(std::move(core), std::move(to), std::move(name)), executor_(std::move(on)) {}

mailbox_base::~mailbox_base() = default;

std::shared_ptr<mailbox_base> mailbox_base::shared_mailbox() {
  return std::static_pointer_cast<mailbox_base>(shared_from_this());
}

subscription_counters mailbox_base::counters() noexcept {
  subscription_counters out;
  const std::uint64_t finished = bounds().finished();
  out.pending = bounds().pushed() - finished;
  out.handled = handled_.load(std::memory_order_relaxed);
  out.failed = failed();
  out.expired = expired();
  out.dropped = dropped();
  out.filtered = filtered_.load(std::memory_order_relaxed);
  out.replaced = replaced_by_key_.load(std::memory_order_relaxed);
  out.unsubscribed = unsubscribed_.load(std::memory_order_relaxed);
  return out;
}

bool mailbox_base::wants_message(const void* message) noexcept {
  try {
    return filter_->wants(message);
  } catch (...) {
    filter_failed_.fetch_add(1, std::memory_order_relaxed);  // told later: a callback must not run inside a publish
    return false;
  }
}

void mailbox_base::pass_by(queue::sender_state& by, identity_word message) {
  const wire::envelope with = core().envelope_of(message);
  by.add_loss(with.id.source, 1 + with.lost_before);
  passed_by_.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t mailbox_base::dropped() noexcept {
  const bool throws_out = bounds().overflow().kind == queue::overflow_kind::drop_oldest;
  return passed_by_.load(std::memory_order_relaxed) + (throws_out ? bounds().replaced() : 0);
}

void mailbox_base::report_dropped(bool now_due) noexcept {
  const std::uint64_t sum = dropped();
  if (expired() != expired_reported_) report_expired(now_due);
  if (filter_failed_.load(std::memory_order_relaxed) != 0) {
    count_failed("its filter threw", filter_failed_.exchange(0, std::memory_order_relaxed));
  }
  if (sum == dropped_reported_) return;
  const auto now = core().clock().now();
  if (!now_due && now < next_drop_report_) return;
  next_drop_report_ = base::deadline_after(now, drop_report_interval);
  const std::int64_t places = bounds().credit().capacity();
  std::string why;
  if (without_memory_.exchange(false, std::memory_order_relaxed)) {
    why = "the memory of the bus is full: raise .memory_max_bytes";
  } else if (places == 0) {
    why = "more keys than places: raise .capacity";
  } else {
    why = "inbox full: raise .capacity or .capacity_bytes (now " + std::to_string(places) + " places)";
  }
  const std::uint64_t news = sum - std::exchange(dropped_reported_, sum);
  core().report(
      {event_kind::dropped, wanted_name(), name(), "", news, why + ", use overflow::block, or handle faster"});
}

void mailbox_base::tell_work_ended() noexcept { core().work_ended(); }

bool mailbox_base::has_expired(identity_word message) noexcept { return core().is_expired(message); }

void mailbox_base::report_expired(bool now_due) noexcept {
  const auto now = core().clock().now();
  if (!now_due && now < next_expiry_report_) return;
  next_expiry_report_ = base::deadline_after(now, drop_report_interval);
  const std::uint64_t sum = expired();
  tell_expired(sum - std::exchange(expired_reported_, sum));
}

void mailbox_base::leave_topics() { core().remove(*this); }

void mailbox_base::end() {
  const bool first = !ended_.exchange(true, std::memory_order_seq_cst);
  if (first) {
    lane_.end();
    leave_topics();
    filter_
        .reset();  // here and not with the handler: an executor that sees the end may destroy that before we are back
  }
  if (on_this_stack()) return;  // run() finishes the end when the handler's frame is gone
  wait_until_not_running();
  finish_own_end();
  wait_until_destroyed();  // the executor may have been first, and still be at it
}

void mailbox_base::finish_own_end() noexcept {
  if (begin_destroying()) {
    destroy_handler();
    destroyed();
  }
  {
    const std::lock_guard lock(run_mutex_);
    discard_queue();
    report_dropped(true);
    static_cast<void>(lane_.take_outlets());  // what it published to may in turn publish to us
  }
  core().work_ended();  // a drain may have waited for what was discarded
  bounds().credit().notify_all();
  executor_->poke();                    // a receiver may wait
  if (!holds_back()) release_thread();  // else it goes on with what it holds, until close()
}

void mailbox_base::release_thread() noexcept { core().release_dedicated(*executor_); }

void mailbox_base::wait_until_not_running() {
  if (current_frame == nullptr) {
    const std::lock_guard lock(run_mutex_);
    return;
  }
  // The handlers on this stack cannot end while we wait: whoever waits for one of them must not be what we wait for.
  core().ending().begin(*this);
  { const std::lock_guard lock(run_mutex_); }
  core().ending().finish();
}

}  // namespace detail
}  // namespace amphibus
