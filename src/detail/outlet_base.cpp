#include <amphibus/detail/outlet_base.hpp>

#include <algorithm>
#include <optional>
#include <thread>

#include <amphibus/base/pause.hpp>
#include <amphibus/detail/bus_core.hpp>

#include "detail/history_keeper.hpp"
#include "detail/inline_subscriber.hpp"
#include "detail/spin_budget.hpp"
#include "detail/writable_signal.hpp"

namespace amphibus::detail {
namespace {

constexpr auto short_spin = std::chrono::nanoseconds(1'300);
constexpr unsigned yields_before_sleep = 5;
/// Several outlets of one source that take turns must not pay for a step with every message.
constexpr std::uint64_t calls_between_steps = 64;
static_assert(inline_call_entry::calls_in_step % calls_between_steps == 0,
              "whoever leaves a step there begins another");
constexpr const char* cycle =
    "cycle: a handler's publish found no room until its deadline; raise .capacity of the subscriptions of this topic, "
    "or "
    "break the cycle of modules that publish to each other";
/// No version: those begin at 1, and in the child of a fork it is 0.
constexpr std::uint64_t never = ~std::uint64_t{0};
constexpr const char* closed_meanwhile = "the bus was closed before there was room";

/// Wakes one publisher that waits for room.
class parked_publisher final : public queue::space_listener {
 public:
  void space_available() noexcept override { parker.unpark(); }
  base::parker parker;
};

bool spin_for_room(const refusal& refused) noexcept {
  const queue::credit_account& places = refused.by->credit();
  // Where no core is left, the one that makes room may want this one.
  const unsigned spin_pauses = spin_budget::has_core() ? base::pauses_in(short_spin) : 0;
  for (unsigned i = 0; i != spin_pauses; ++i) {
    if (places.available() >= refused.places) return true;
    base::pause();
  }
  for (unsigned i = 0; i != yields_before_sleep; ++i) {
    std::this_thread::yield();
    if (places.available() >= refused.places) return true;
  }
  return false;
}

/// Where the topic retains, nobody joins it between the look at the table and the end of the pushes.
std::unique_lock<std::mutex> in_order(history_keeper* of) {
  return of != nullptr ? std::unique_lock(of->order()) : std::unique_lock<std::mutex>();
}

}  // namespace

void inline_call::run() noexcept {
  gone.drop();
  if (!who) return;
  who->call(message);
  message.drop();
  who.reset();
}

void outlet_base::on_writable(std::unique_ptr<action> call) {
  auto created = std::make_shared<writable_signal>(core_.shared_from_this(), core_.serial_executor(), std::move(call));
  std::shared_ptr<writable_signal> before;
  {
    const std::lock_guard lock(slow_mutex_);
    stop_listening();
    before = std::exchange(writable_, std::move(created));
  }
  if (before) before->end();
}

void outlet_base::note_multicast(std::shared_ptr<const queue::multicast_base> which) noexcept {
  if (!which || multicast_) return;
  multicast_ = std::move(which);
  counted_.store(multicast_.get(), std::memory_order_release);
}

topic_counters outlet_base::counters() const noexcept {
  topic_counters out;
  {
    const std::lock_guard lock(counting_calls_);  // what goes from one to the other is in neither meanwhile
    out.published = published_.load(std::memory_order_relaxed);
    if (counted_calls_ != nullptr) out.published += counted_calls_->returned();
  }
  if (const auto* const also = counted_.load(std::memory_order_acquire)) out.published += also->written();
  out.no_subscribers = no_subscribers_.load(std::memory_order_relaxed);
  out.refused = refused_.load(std::memory_order_relaxed);
  return out;
}

void outlet_base::leave_step() noexcept {
  at_once_.lead_nowhere();
  if (inline_call_entry* const calls = std::exchange(step_calls_, nullptr)) {
    calls->here.message = calls->last_in_step();  // if that is still under way
    return source_.leave_step(calls->here.message.packed_after(1));
  }
  source_.leave_step(step_origin_.packed_after(multicast_->position()));
}

bool outlet_base::call_numbered(inline_call_entry& to, const void* value) noexcept {
  source_state& by = numbers();
  const std::uint64_t begun = to.caller.begin();
  base::compiler_barrier();
  if (seen_version_ != version_->load(std::memory_order_acquire) || !by.is_packed()) {  // SYNC(bus.version)
    to.give_up(begun);
    return false;
  }
  to.here.message = by.take_packed();
  if (begun % calls_between_steps == 0 && by.packed_left() > inline_call_entry::calls_in_step) {
    to.step_origin = to.here.message.packed_before(begun);
    to.here.message = identity_word::of_call(to);
    step_calls_ = &to;
    by.enter_step(*this);
    at_once_.lead_to(to);
  }
  to.call(value);  // the handler may destroy this outlet
  to.end(begun);
  return true;
}

void outlet_base::note_called(inline_call_entry& which) {
  by_number_.lead_to(which);
  if (counted_calls_ == &which.caller) return;
  const std::lock_guard lock(counting_calls_);
  counted_calls_ = &which.caller;
}

void outlet_base::forget_called() {
  if (step_calls_ != nullptr) leave_step();
  const std::lock_guard lock(counting_calls_);
  if (counted_calls_ == nullptr) return;
  const std::uint64_t called = std::exchange(counted_calls_, nullptr)->begun();
  published_.store(published_.load(std::memory_order_relaxed) + called, std::memory_order_relaxed);
}

identity_word outlet_base::slow_identity() {
  source_state& by = numbers();
  if (by.index() == 0) by.set_index(core_.new_source_index());
  if (current_frame == nullptr && by.is_packed()) return by.take_packed();
  return pooled_identity(caused_envelope({{core_.incarnation(), by.index()}, by.take_sequence()}));
}

wire::envelope outlet_base::caused_envelope(message_id own) {
  // Outside handlers, and in callbacks that handle no message, there is no cause.
  if (current_frame == nullptr || current_frame->topic == nullptr) return wire::first_envelope(own);
  const wire::envelope cause = current_frame->bus.envelope_of(current_frame->message);
  return {own, cause.correlation, cause.id, 0, {}};
}

bool outlet_base::describe(offer& what, const publish_options& options, wire::byte_writer& bytes) {
  AMPHIBUS_ASSERT(
      options.key.empty() || topic_.key() == nullptr,
      "publish_options::key on a topic whose messages have a key of their own, topic<T, key>: leave it out");
  what.correlation = options.correlation;
  if (options.deadline != base::duration::max()) {
    what.deadline = base::deadline_after(core_.clock().now(), options.deadline);
  }
  if (options.key.empty() && options.headers.empty()) return true;
  if (!wire::attributes_view::append(options.key, options.headers, bytes)) return false;
  what.attributes = wire::attributes_view(bytes.bytes());
  return true;
}

identity_word outlet_base::pooled_identity(const wire::envelope& with) {
  return envelopes_.make(with, core_.deadline_of(with));
}

identity_word outlet_base::described_identity(const offer& what) {
  source_state& by = numbers();
  if (by.index() == 0) by.set_index(core_.new_source_index());
  wire::envelope with = caused_envelope({{core_.incarnation(), by.index()}, by.take_sequence()});
  if (what.correlation) with.correlation = what.correlation;
  with.attributes = what.attributes;
  return envelopes_.make(with, what.deadline);
}

identity_word outlet_base::identity_of(const offer& what) {
  if (what.from != nullptr) return input_identity(*what.from, is_first(*what.from));
  const bool described =
      what.correlation || !what.attributes.bytes().empty() || what.deadline != base::time_point::max();
  return described ? described_identity(what) : next_identity();
}

identity_word outlet_base::tell_loss(queue::sender_state& at, identity_word identity) {
  const wire::envelope with = core_.envelope_of(identity);
  const std::uint64_t lost = at.take_loss(with.id.source);
  return lost == 0 ? identity : envelopes_.with_loss(identity, with, lost);
}

outlet_base::afterwards::~afterwards() {
  for (const auto& each : tables) inline_table::abandon(each);
}

void outlet_base::refresh(afterwards& left) {
  // The version is read before the table: a change in between is seen at the next look.
  const std::uint64_t version = version_->load(std::memory_order_acquire);
  if (version == seen_version_) return;
  stop_listening();  // the inbox may go with the old table
  const receiver_table table = topic_.table();
  std::vector<std::shared_ptr<subscriber_base>> called;
  for (const auto& each : table.subscribers) {
    if (remote_ == nullptr && each->kind() == delivery_kind::in_publisher) called.push_back(each);
  }
  forget_called();
  forget_table(left);
  inlines_ = called.empty() ? nullptr : std::make_shared<inline_table>(called, topic_);
  keeper_ = table.keeper;
  const std::shared_ptr<egress_inbox> leaving = remote_ == nullptr ? table.egress : nullptr;  // never what came in
  const bool together = adopt_egress(leaves_apart() ? nullptr : leaving);
  adopt_any(table, together ? nullptr : leaving);
  adopt(table);
  // While the bus closes every publish must come here, where handlers are told from outsiders.
  const bool open = core_.current_phase() == bus_core::phase::open;
  seen_version_ = open ? version : never;
}

void outlet_base::forget_table(afterwards& left) {
  close_shortcuts();
  nobody_.store(false, std::memory_order_relaxed);
  only_called_ = false;
  if (inlines_) left.tables.push_back(std::exchange(inlines_, nullptr));
}

bool outlet_base::is_unwanted() noexcept {
  if (!nobody_.load(std::memory_order_relaxed) || seen_version_ != version_->load(std::memory_order_acquire))
    return false;
  no_subscribers_.store(no_subscribers_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return true;
}

bool outlet_base::reclaim_for(const refusal& refused) {
  return refused.by->reclaim_idle_credit() && refused.by->credit().available() >= refused.places;
}

outlet_base::attempt outlet_base::try_once(offer& what, refusal& refused, bool drops) {
  if (core_.in_child_of_fork()) return attempt::closed;
  afterwards left;
  const std::lock_guard lock(slow_mutex_);
  for (;;) {
    const auto phase = core_.current_phase();
    const bool inside = what.from != nullptr || (current_frame != nullptr && &current_frame->bus == &core_);
    if (phase == bus_core::phase::closed || (phase == bus_core::phase::closing && !inside)) return attempt::closed;
    const std::uint64_t version = version_->load(std::memory_order_acquire);
    refresh(left);
    if (what.from == nullptr && !held_messages_.empty()) return attempt::refused;  // FIFO: what is held goes first
    const auto order = in_order(keeper_);  // before the gate, in which nobody waits for others
    gate_.enter_waiting();
    if (version_->load(std::memory_order_acquire) == version) {
      attempt answer = attempt::nobody;
      if (has_receivers()) {
        refused = refusing(what);
        answer = !refused || (drops && passes_by(refused)) ? attempt::placed : attempt::refused;
      }
      if (answer == attempt::placed && !refused) {
        push_offered(what, identity_of(what));
        if (only_called_ && may_push_at_once()) note_called(inlines_->at_once());
      }
      if (answer == attempt::placed && refused) pass_offered_by(what, identity_of(what));
      // Two publishers that hold each other's last place must not wait for each other.
      if (answer == attempt::refused) return_credit();
      gate_.leave();
      return answer;
    }
    gate_.leave();
  }
}

identity_word outlet_base::slow_input_identity(const wire::envelope& with) {
  const bool first = is_first(with);
  if (first && with.id.source != last_remote_) {
    last_remote_ = with.id.source;
    last_alias_ = core_.alias_of(last_remote_);
  }
  const bool packs = first && last_alias_ != 0 && with.id.sequence <= identity_word::sequence_max;
  return packs ? identity_word::packed(last_alias_, with.id.sequence) : pooled_identity(with);
}

publish_status outlet_base::publish_slowly(offer& what, const publish_limits& limits) {
  std::optional<base::time_point> deadline;  // from the first refusal that waits
  bool drops = false;                        // only when nobody has memory to give
  for (;;) {
    refusal refused;
    switch (try_once(what, refused, drops)) {
      case attempt::placed: return what.call.run(), publish_status::accepted;
      case attempt::closed: return publish_status::closed;
      case attempt::nobody:
        nobody_.store(seen_version_ != never, std::memory_order_relaxed);
        no_subscribers_.store(no_subscribers_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return publish_status::no_subscribers;
      case attempt::refused: break;
    }
    if (refused && reclaim_for(refused)) continue;
    if (passes_by(refused)) {
      drops = true;
      continue;
    }
    if (refused && refused.rule.kind == queue::overflow_kind::fail) return answer_refused(refused);
    if (limits.wait_max <= base::duration::zero() || publish_must_not_wait) return answer_refused(refused);
    if (!deadline) deadline = wait_deadline(refused, limits);
    if (current_lane() != nullptr) return hold(what, *deadline) ? publish_status::accepted : answer_refused(refused);
    if (!wait_for_room(refused, *deadline)) return answer_refused(refused);
  }
}

base::time_point outlet_base::wait_deadline(const refusal& refused, const publish_limits& limits) {
  // Behind what is held nobody has refused this message yet; it waits as long as what it waits behind.
  if (refused) last_timeout_ = refused.rule.block_timeout;
  return base::deadline_after(core_.clock().now(), std::min(last_timeout_, limits.wait_max));
}

publish_status outlet_base::answer_refused(const refusal& refused) noexcept {
  refused_.store(refused_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (writable_) {
    const std::lock_guard lock(slow_mutex_);
    if (!refused || !listen_to(refused)) writable_->signal();  // there is room meanwhile, or soon
  }
  return publish_status::would_block;
}

bool outlet_base::wait_for_room(const refusal& refused, base::time_point deadline) {
  if (!refused) {  // only what a handler holds is in the way: help to place it
    if (!place_held()) std::this_thread::yield();
    return core_.clock().now() < deadline;
  }
  if (spin_for_room(refused)) return true;
  parked_publisher here;
  bool in_time = true;
  // Our sender keeps the inbox alive. close() moves the version first and wakes all listeners then, so whoever
  // registers too late for the waking sees the version.
  queue::credit_account& places = refused.by->credit();
  if (refused.by->listen(here, refused.places) && version_->load(std::memory_order_acquire) == seen_version_) {
    in_time = core_.clock().park_until(here.parker, deadline);
  }
  places.forget(here);
  return in_time;
}

publish_status outlet_base::publish_input(offer& what) {
  for (bool drops = false;;) {
    refusal refused;
    switch (try_once(what, refused, drops)) {
      case attempt::placed: return publish_status::accepted;
      case attempt::closed: return publish_status::closed;
      case attempt::nobody: return publish_status::no_subscribers;
      case attempt::refused: break;
    }
    if (reclaim_for(refused)) continue;
    drops = passes_by(refused);
    if (drops) continue;
    if (listen_to(refused)) return publish_status::would_block;
  }
}

bool outlet_base::hold(offer& what, base::time_point deadline) {
  const std::lock_guard lock(slow_mutex_);
  lane& owner = *current_lane();
  held_messages_.reserve(held_messages_.size() + 1);
  if (!owner.add_held(shared_from_this())) return false;
  close_shortcuts();  // what is published now goes behind it
  try {
    hold_offered(what);
  } catch (...) {
    owner.release_held(1);
    throw;
  }
  held_messages_.push_back({identity_of(what), deadline, owner.share()});
  holder_.store(&owner.box().executor(), std::memory_order_release);
  held_.store(static_cast<std::uint32_t>(held_messages_.size()), std::memory_order_release);
  core_.add_held(1);
  return true;
}

bool outlet_base::place_held() {
  afterwards left;
  const bool placed = place_held(left);
  finish(left);
  return placed;
}

void outlet_base::finish(afterwards& left) {
  for (inline_call& each : left.calls) each.run();
  for (const event& each : left.events) core_.report(each);
}

bool outlet_base::place_held(afterwards& left) {
  const std::lock_guard lock(slow_mutex_);
  bool drops = false;
  while (!held_messages_.empty()) {
    const refusal refused = place_oldest_held(left, std::exchange(drops, false));
    if (!refused || reclaim_for(refused)) continue;
    drops = passes_by(refused);
    if (drops) continue;
    if (core_.clock().now() >= held_messages_.front().deadline) {
      const bool memory = refused.by == budget_.get();
      give_up_oldest(left, memory ? "the memory of the bus stayed full until its deadline: raise .memory_max_bytes, or "
                                    "handle faster"
                                  : cycle);
      continue;
    }
    if (listen_to(refused)) return false;
  }
  stop_listening();
  return true;
}

void outlet_base::let_go() {
  afterwards left;
  {
    const std::lock_guard lock(slow_mutex_);
    while (!held_messages_.empty()) give_up_oldest(left, closed_meanwhile);
    stop_listening();
    // Before the barrier of exclude(). A call that passed its look before may find one again: let_go_ is for it.
    close_shortcuts();
    gate_.exclude();
    budget_->return_share(share_);
    let_go_ = inlines_;
    forget_table(left);
    keeper_ = nullptr;
    adopt_egress(nullptr);
    adopt_any({}, nullptr);
    resting_egress_.reset();
    adopt({});
    gate_.admit();
  }
  finish(left);
}

refusal outlet_base::place_oldest_held(afterwards& left, bool drops) {
  if (core_.current_phase() == bus_core::phase::closed) return give_up_oldest(left, closed_meanwhile), refusal{};
  const std::uint64_t version = version_->load(std::memory_order_acquire);
  refresh(left);
  auto order = in_order(keeper_);
  gate_.enter_waiting();
  if (version_->load(std::memory_order_acquire) != version) return gate_.leave(), refusal{};
  refusal refused;
  inline_call call;
  const bool left_alone = !has_receivers();
  if (left_alone) {
    lose_oldest_held();
  } else if (refused = refusing_oldest_held(); !refused) {
    push_oldest_held(held_messages_.front().identity, call);
  } else if (drops && passes_by(refused)) {
    pass_oldest_held_by(held_messages_.front().identity);
    refused = {};
  } else {
    return_credit();
  }
  gate_.leave();
  if (order) order.unlock();
  if (call.who || !call.gone.empty()) left.calls.push_back(std::move(call));
  if (left_alone) count_undeliverable("everybody who wanted it ended before there was room", left);
  if (!refused) forget_oldest();
  return refused;
}

void outlet_base::forget_oldest() {
  const std::shared_ptr<lane> keeps_executor = held_messages_.front().owner;
  lane& owner = *keeps_executor;
  owner.release_held(1);
  if (!owner.stalled()) owner.box().executor().poke();  // whoever placed it: its message is done with now
  held_messages_.erase(held_messages_.begin());
  if (held_messages_.empty()) holder_.store(nullptr, std::memory_order_release);
  held_.store(static_cast<std::uint32_t>(held_messages_.size()), std::memory_order_release);
  core_.add_held(-1);
}

void outlet_base::lose_oldest_held() {
  held_messages_.front().identity.drop_reference();
  drop_oldest_held();
}

void outlet_base::count_undeliverable(const char* why, afterwards& left) {
  topic_.count_undeliverable(1);
  left.events.push_back(
      {event_kind::undeliverable, topic_.name(), held_messages_.front().owner->box().name(), "", 1, why});
}

void outlet_base::give_up_oldest(afterwards& left, const char* why) {
  lose_oldest_held();
  count_undeliverable(why, left);
  forget_oldest();
}

base::time_point outlet_base::held_deadline() const {
  const std::lock_guard lock(slow_mutex_);
  return held_messages_.empty() ? base::time_point::max() : held_messages_.front().deadline;
}

bool outlet_base::listen_to(const refusal& full) {
  if (listening_to_ != full.by) stop_listening();
  listening_to_ = full.by;
  return full.by->listen(*this, full.places);
}

void outlet_base::space_available() noexcept {
  if (remote_ != nullptr) return remote_->space_available();
  if (writable_) writable_->signal();
  // Only listed while something is held, and then the holder's mailbox keeps its executor alive.
  if (executor_core* const holder = holder_.load(std::memory_order_acquire)) holder->poke();
}

void outlet_base::stop_listening() {
  if (listening_to_ != nullptr) std::exchange(listening_to_, nullptr)->credit().forget(*this);
}

}  // namespace amphibus::detail
