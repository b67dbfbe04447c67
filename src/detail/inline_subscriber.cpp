#include "detail/inline_subscriber.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <amphibus/base/barrier.hpp>
#include <amphibus/detail/bus_core.hpp>

#include "detail/ending_handlers.hpp"

namespace amphibus::detail {
namespace {

class stand_in_handler final : public message_handler {
 public:
  explicit stand_in_handler(std::shared_ptr<inline_subscriber> who) : who_(std::move(who)) {
    caller_.depth.store(1, std::memory_order_relaxed);  // in use as long as this handler lives
    who_->join(caller_);
  }
  ~stand_in_handler() override { who_->part(caller_); }

  void invoke(const void* slots, std::size_t, frame& here, const context& with) override {
    caller_.count_handled();
    who_->call_for_remote(*static_cast<const any_slot*>(slots), here, with);
  }
  [[nodiscard]] bool takes_batches() const noexcept override { return false; }

 private:
  const std::shared_ptr<inline_subscriber> who_;
  inline_caller caller_;
};

}  // namespace

std::unique_ptr<message_handler> make_stand_in_handler(std::shared_ptr<inline_subscriber> who) {
  return std::make_unique<stand_in_handler>(std::move(who));
}

inline_subscriber::inline_subscriber(std::shared_ptr<bus_core> core, interest to, std::string name,
                                     std::unique_ptr<message_handler> handler, std::unique_ptr<message_filter> filter)
    : subscriber_base(std::move(core), std::move(to), std::move(name)),
      takes_values_(!filter && handler->takes_values()),
      handler_(std::move(handler)),
      called_(*handler_),
      filter_(std::move(filter)) {}

inline_subscriber::~inline_subscriber() = default;

void inline_subscriber::call(inline_caller& by, const any_slot& message) noexcept {
  const std::uint32_t depth = by.depth.load(std::memory_order_relaxed);
  by.depth.store(depth + 1, std::memory_order_relaxed);
  base::light_barrier();
  if (core().is_expired(message.identity)) [[unlikely]] {
    count_expired(1);
    tell_expired(1);
  } else if (!ended() && wants_message(message)) {
    frame here(core(), *this, current_lane(), message.topic);
    here.message = message.identity;
    const context with(core(), here.topic, here.message);
    try {
      handler_->invoke(&message, 1, here, with);
    } catch (...) {
      count_caught();
    }
    by.count_handled();
  }
  by.leave(depth);
}

void inline_subscriber::count_caught() noexcept {
  try {
    throw;
  } catch (const std::exception& failure) {
    count_failed(failure.what());
  } catch (...) {
    count_failed("an exception that is not a std::exception");
  }
}

bool inline_subscriber::wants_message(const any_slot& message) noexcept {
  if (!filter_) return true;
  bool wanted = false;
  try {
    wanted = filter_->wants(message.value());
  } catch (...) {
    count_failed("its filter threw");
  }
  if (!wanted) filtered_.fetch_add(1, std::memory_order_relaxed);
  return wanted;
}

void inline_subscriber::call_for_remote(const any_slot& message, frame& here, const context& with) {
  if (!wants_message(message)) return;
  handler_->invoke(&message, 1, here, with);
}

void inline_subscriber::join(inline_caller& who) {
  const std::lock_guard lock(callers_mutex_);
  callers_.push_back(&who);
}

void inline_subscriber::part(inline_caller& who) {
  {
    const std::lock_guard lock(callers_mutex_);
    std::erase(callers_, &who);
    handled_by_parted_ += who.handled.load(std::memory_order_relaxed);
  }
  if (ended()) destroy_if_last();
}

bool inline_subscriber::somebody_calls() const {
  return std::any_of(callers_.begin(), callers_.end(), [](const inline_caller* each) {
    return each->depth.load(std::memory_order_acquire) != 0;  // SYNC(inline.depth)
  });
}

bool inline_subscriber::waits_for(const inline_caller* which) noexcept {
  const std::lock_guard lock(callers_mutex_);
  return std::find(callers_.begin(), callers_.end(), which) != callers_.end();
}

void inline_subscriber::destroy_if_last() noexcept {
  std::unique_ptr<message_handler> dying;
  std::unique_ptr<message_filter> dying_filter;
  {
    const std::lock_guard lock(callers_mutex_);
    if (depths_are_true_ && !somebody_calls() && begin_destroying()) {
      dying = std::move(handler_);
      dying_filter = std::move(filter_);
    }
  }
  if (dying) {
    dying_filter.reset();
    dying.reset();  // outside the lock: its destructor may do anything
    destroyed();
    call_waiters::of_process().remove(*this);
  }
  left_.fetch_add(1, std::memory_order_release);
  left_.notify_all();
}

void inline_subscriber::end() {
  // SYNC(inline.ended): seq_cst and the heavy barrier of add(); a caller either sees it or its depth is seen.
  const bool first = !ended_.exchange(true, std::memory_order_seq_cst);
  if (first) {
    core().remove(*this);
    call_waiters::of_process().add(std::static_pointer_cast<inline_subscriber>(shared_from_this()));
    const std::lock_guard lock(callers_mutex_);
    depths_are_true_ = true;
  }
  if (stand_in_) stand_in_->end();
  if (on_this_stack() || (stand_in_ && stand_in_->on_this_stack())) return;  // the last frame finishes the end
  wait_for_callers();
}

void inline_subscriber::wait_for_callers() {
  const bool inside = current_frame != nullptr;
  if (inside) core().ending().begin(*this);
  for (;;) {
    const std::uint32_t seen = left_.load(std::memory_order_acquire);
    {
      const std::lock_guard lock(callers_mutex_);
      // Without a handler whoever calls finds that it ended, and tells nobody: nothing waits any more.
      if (!handler_ || !somebody_calls()) break;
    }
    left_.wait(seen, std::memory_order_acquire);
  }
  if (inside) core().ending().finish();
  destroy_if_last();
  wait_until_destroyed();  // a publisher may have been the last, and still be at it
}

subscription_counters inline_subscriber::counters() noexcept {
  subscription_counters out;
  const std::lock_guard lock(callers_mutex_);
  out.handled = handled_by_parted_;
  for (const inline_caller* each : callers_) out.handled += each->handled.load(std::memory_order_relaxed);
  out.failed = failed();
  out.expired = expired();
  out.filtered = filtered_.load(std::memory_order_relaxed);
  if (!stand_in_) return out;
  out.failed += stand_in_->counters().failed;
  out.expired += stand_in_->counters().expired;
  return out;
}

void inline_call_entry::count_failed() noexcept { static_cast<inline_subscriber&>(here.owner).count_caught(); }

void inline_calls::call_others(const void* value, identity_word identity) noexcept {
  const auto& entries = static_cast<inline_table*>(this)->entries_;
  std::vector<const inline_caller*> returned;
  inline_caller* last = &first_->caller;
  for (std::size_t i = 1; i != entries.size(); ++i) {
    // The next call begins before the last one ends, so that there is always one, which keeps the table.
    inline_call_entry& next = entries[i]->calls;
    next.caller.depth.store(1, std::memory_order_relaxed);
    last->depth.store(0, std::memory_order_release);  // SYNC(inline.depth)
    next.call(value, identity);
    last = &next.caller;
  }
  base::compiler_barrier();
  if (awaited_calls.load(std::memory_order_relaxed) != 0) {
    for (const auto& each : entries) returned.push_back(&each->calls.caller);
    returned.pop_back();
  }
  last->leave_by_membarrier();
  for (const inline_caller* const each : returned) tell_returned(each);
}

inline_table::entry::entry(std::shared_ptr<inline_subscriber> of, topic_core& about)
    : who(std::move(of)), calls(who->core(), *who, about, who->handler(), who->has_ended()) {
  who->join(calls.caller);
}

inline_table::inline_table(const std::vector<std::shared_ptr<subscriber_base>>& all, topic_core& about) {
  for (const auto& each : all) {
    entries_.push_back(std::make_unique<entry>(std::static_pointer_cast<inline_subscriber>(each), about));
    takes_values_ = takes_values_ && entries_.back()->who->takes_values();
  }
  first_ = &entries_.front()->calls;
  more_ = entries_.size() != 1;
}

inline_table::~inline_table() {
  for (const auto& each : entries_) each->who->part(each->calls.caller);
}

void inline_table::call(const any_slot& message) noexcept {
  for (const auto& each : entries_) each->who->call(each->calls.caller, message);
}

bool inline_table::is_called() const noexcept {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& each) {
    return each->calls.caller.depth.load(std::memory_order_acquire) != 0;  // SYNC(inline.depth)
  });
}

void inline_table::abandon(std::shared_ptr<inline_table> which) noexcept {
  if (!which || !which->is_called()) return;
  call_waiters::of_process().add(which);
  if (!which->is_called()) call_waiters::of_process().remove(*which);
}

bool inline_table::waits_for(const inline_caller* which) noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [which](const auto& each) { return &each->calls.caller == which; });
}

void inline_table::call_returned() noexcept {
  if (!is_called()) call_waiters::of_process().remove(*this);
}

}  // namespace amphibus::detail
