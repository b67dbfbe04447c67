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
    caller_.enter();  // in use as long as this handler lives
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
      by_value_(filter ? nullptr : handler->by_value()),
      handler_(std::move(handler)),
      called_(*handler_),
      filter_(std::move(filter)) {}

inline_subscriber::~inline_subscriber() = default;

void inline_subscriber::call(inline_caller& by, const any_slot& message) noexcept {
  by.enter();
  base::light_barrier();
  by.leave(call_marked(message));
}

bool inline_subscriber::call_marked(const any_slot& message) noexcept {
  if (core().is_expired(message.identity)) [[unlikely]] {
    count_expired(1);
    tell_expired(1);
    return false;
  }
  if (ended() || !wants_message(message)) return false;
  frame here(core(), *this, current_lane(), message.topic);
  here.message = message.identity;
  const context with(core(), here.topic, here.message);
  try {
    handler_->invoke(&message, 1, here, with);
  } catch (...) {
    count_caught();
  }
  return true;
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

void inline_subscriber::part(inline_caller& who) {
  callers_.part(who);
  if (ended()) destroy_if_last();
}

void inline_subscriber::destroy_if_last() noexcept {
  if (callers_.take_last() && begin_destroying()) {
    filter_.reset();
    handler_.reset();
    destroyed();
    call_waiters::of_process().remove(*this);
  }
  callers_.tell_all();
}

void inline_subscriber::end() {
  // SYNC(inline.ended): seq_cst and the heavy barrier of add(); a caller either sees it, or that it calls is seen.
  const bool first = !ended_.exchange(true, std::memory_order_seq_cst);
  if (first) {
    core().remove(*this);
    call_waiters::of_process().add(std::static_pointer_cast<inline_subscriber>(shared_from_this()));
    callers_.begin_end();
  }
  if (stand_in_) stand_in_->end();
  if (on_this_stack() || (stand_in_ && stand_in_->on_this_stack())) return;  // the last frame finishes the end
  wait_for_callers();
}

void inline_subscriber::wait_for_callers() {
  if (core().in_child_of_fork()) return;  // who called when the parent forked does not come back here
  const bool inside = current_frame != nullptr;
  if (inside) core().ending().begin(*this);
  callers_.wait_for_last();
  if (inside) core().ending().finish();
  destroy_if_last();
  wait_until_destroyed();  // a publisher may have been the last, and still be at it
}

subscription_counters inline_subscriber::counters() noexcept {
  subscription_counters out;
  out.handled = callers_.handled();
  out.failed = failed();
  out.expired = expired();
  out.filtered = filtered_.load(std::memory_order_relaxed);
  if (!stand_in_) return out;
  out.failed += stand_in_->counters().failed;
  out.expired += stand_in_->counters().expired;
  return out;
}

/// Calls everybody, one after the other. The call of `all_` is around them, and keeps the table.
class inline_table::all_handler final : public message_handler {
 public:
  explicit all_handler(inline_table& of) noexcept : of_(of) {}
  void invoke(const void*, std::size_t, frame&, const context&) override {
    AMPHIBUS_ASSERT(false, "it is called by value alone");
  }
  [[nodiscard]] bool takes_batches() const noexcept override { return false; }
  [[nodiscard]] value_call by_value() const noexcept override {
    return [](message_handler& by, const void* value, const context&) {
      static_cast<const all_handler&>(by).call_all(value);
    };
  }

 private:
  void call_all(const void* value) const noexcept {
    const identity_word identity = settled(current_frame->message);
    for (const auto& each : of_.entries_) {
      inline_call_entry& one = each->calls;
      const std::uint64_t begun = one.caller.begin();
      base::compiler_barrier();
      if (one.ended->load(std::memory_order_acquire)) {
        one.give_up(begun);
        continue;
      }
      one.here.message = identity;
      one.call(value);
      one.end(begun);
    }
  }

  inline_table& of_;
};

inline_table::entry::entry(std::shared_ptr<inline_subscriber> of, topic_core& about)
    : who(std::move(of)), calls(who->core(), *who, about, who->handler(), who->by_value(), who->has_ended()) {
  who->join(calls.caller);
}

inline_table::inline_table(const std::vector<std::shared_ptr<subscriber_base>>& all, topic_core& about) {
  for (const auto& each : all) {
    entries_.push_back(std::make_unique<entry>(std::static_pointer_cast<inline_subscriber>(each), about));
    takes_values_ = takes_values_ && entries_.back()->who->takes_values();
  }
  if (entries_.size() == 1) return;
  inline_subscriber& first = *entries_.front()->who;
  all_handler_ = std::make_unique<all_handler>(*this);
  all_ = std::make_unique<inline_call_entry>(first.core(), first, about, *all_handler_, all_handler_->by_value(),
                                             first.has_ended());
}

void inline_table::entry::part() noexcept {
  if (const auto from = std::move(who)) from->part(calls.caller);
}

void inline_table::part() noexcept {
  for (const auto& each : entries_) each->part();
}

void inline_table::call(const any_slot& message) noexcept {
  for (const auto& each : entries_) each->who->call(each->calls.caller, message);
  promised_.leave(false);
}

bool inline_table::is_called() const noexcept {
  return promised_.is_calling() || (all_ && all_->caller.is_calling()) ||
         std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& each) { return each->calls.caller.is_calling(); });
}

void inline_table::abandon(const std::shared_ptr<inline_table>& which) noexcept {
  if (!which->is_called()) return which->part();
  call_waiters::of_process().add(which);
  which->call_returned();
}

bool inline_table::waits_for(const inline_caller* which) noexcept {
  return which == &promised_ || (all_ && which == &all_->caller) ||
         std::any_of(entries_.begin(), entries_.end(),
                     [which](const auto& each) { return which == &each->calls.caller; });
}

void inline_table::call_returned() noexcept {
  if (!is_called() && call_waiters::of_process().remove(*this)) part();
}

}  // namespace amphibus::detail
