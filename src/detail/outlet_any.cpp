// The receivers of an outlet whose slots are of any type: patterns, stand-ins, a route's queue. Nothing here depends on
// the message type, so none of it is in a header that every user compiles.
#include <algorithm>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/outlet_base.hpp>
#include <amphibus/detail/senders.hpp>

#include "detail/history_keeper.hpp"
#include "detail/inline_subscriber.hpp"
#include "detail/writable_signal.hpp"

namespace amphibus::detail {

const std::shared_ptr<subscriber_base>* mailboxes_of::next() noexcept {
  while (at_ != table_.subscribers.size()) {
    const std::shared_ptr<subscriber_base>& each = table_.subscribers[at_++];
    if (std::find(kinds_.begin(), kinds_.end(), each->kind()) != kinds_.end()) return &each;
  }
  return nullptr;
}

void gone_messages::drop() noexcept {
  if (count == 0) return;
  first.drop();
  for (const any_slot& each : more) each.drop();
  more.clear();
  count = 0;
}

struct outlet_base::any_receivers {
  sender_list<any_slot> mailboxes;  // one by one: what they take may differ from message to message
  std::shared_ptr<queue::sender<any_slot>> egress;
};

outlet_base::outlet_base(bus_core& core, topic_core& to, source_state* by, queue::space_listener* remote)
    : source_(by != nullptr ? *by : own_source_),
      version_(&core.version()),
      core_(core),
      topic_(to),
      remote_(remote),
      budget_(core.budget()) {
  topic_.add_outlet(*this);
}

outlet_base::~outlet_base() {
  forget_called();
  if (inlines_) inline_table::abandon(inlines_);
  if (writable_) writable_->end();
  any_.reset();  // its senders leave while the gate is there
  resting_egress_.reset();
  budget_->part(share_);
  topic_.remove_outlet(*this);
}

void outlet_base::adopt_any(const receiver_table& table, const std::shared_ptr<egress_inbox>& egress) {
  if (!any_) any_ = std::make_shared<any_receivers>();
  if (remote_ == nullptr) {
    any_->mailboxes.adopt(gate_, table, {delivery_kind::queued_any}, false, sharing::none);
  } else {
    any_->mailboxes.adopt(gate_, table, {delivery_kind::queued_any, delivery_kind::stand_in}, true, sharing::none);
  }
  adopt_leaving(egress);
  AMPHIBUS_ASSERT(any_->mailboxes.together() == 0, "push_any() reaches them one by one");
  if (any_->mailboxes.empty() && !any_->egress) any_.reset();
}

bool outlet_base::leaves_apart() const noexcept { return resting_egress_ || (any_ && any_->egress); }

void outlet_base::adopt_leaving(const std::shared_ptr<egress_inbox>& egress) {
  if (!egress && any_->egress) {
    any_->egress->return_credit();
    resting_egress_ = std::move(any_->egress);
  } else if (egress && !any_->egress) {
    any_->egress =
        resting_egress_ ? std::move(resting_egress_) : std::make_shared<queue::sender<any_slot>>(gate_, egress);
  }
  AMPHIBUS_ASSERT(!egress || &any_->egress->to() == egress.get(), "a topic has one route");
}

void outlet_base::note_only_called() noexcept {
  only_called_ = inlines_ && !any_ && keeper_ == nullptr && inlines_->takes_values();
}

bool outlet_base::filters_any() const noexcept { return any_ && any_->mailboxes.filters(); }

refusal outlet_base::refusing_any(std::size_t bytes, const void* message) noexcept {
  if (!any_) return {};
  const auto refused_by = [bytes](queue::sender<any_slot>& each) {
    const std::int64_t places = each.to().places_for(bytes);
    return each.refuses && !each.has_room(places) ? refusal{&each.to(), places, each.to().overflow()} : refusal{};
  };
  for (const auto& each : any_->mailboxes.apart()) {
    if (!is_wanted(*each, message)) continue;
    if (const refusal by = refused_by(*each)) return by;
  }
  return any_->egress ? refused_by(*any_->egress) : refusal{};
}

queue::overflow_rule outlet_base::strictest_any() const noexcept {
  queue::overflow_rule out{queue::overflow_kind::drop_newest, {}};
  if (inlines_) out = {};  // what is called is not dropped
  if (!any_) return out;
  out = any_->mailboxes.strictest(out);
  return any_->egress ? queue::stricter(out, any_->egress->to().overflow()) : out;
}

void outlet_base::pass_any_by(identity_word message) noexcept {
  if (keeper_ != nullptr) keeper_->count_forgotten();
  if (!any_) return;
  for (const auto& each : any_->mailboxes.apart()) {
    if (each->wanted) static_cast<mailbox<any_slot>&>(each->to()).pass_by_for_memory(*each, message);
  }
  if (any_->egress) topic_.count_egress_dropped(1);
}

void outlet_base::return_any_credit() noexcept {
  budget_->return_share(share_);
  if (!any_) return;
  any_->mailboxes.return_credit();
  if (any_->egress) any_->egress->return_credit();
}

[[gnu::flatten]] void outlet_base::push_any(const any_slot& borrowed, std::size_t bytes, inline_call* call) noexcept {
  if (inlines_ && call != nullptr) {
    inlines_->promise_call();
    call->who = inlines_;
    call->message = borrowed.with_references();
  }
  if (keeper_ != nullptr && call != nullptr) keeper_->keep(borrowed.with_references(), call->gone);
  if (!any_) return;
  for (const auto& each : any_->mailboxes.apart()) {
    if (!each->wanted) {
      count_filtered(*each);
      continue;
    }
    const std::int64_t places = each->to().places_for(bytes);
    if (!each->has_room(places) && !make_room(*each, borrowed.identity, places)) continue;
    any_slot own = borrowed.with_references();
    if (each->lost_since_push != 0) own.identity = tell_loss(*each, own.identity);
    put(*each, own, places);
  }
  if (!any_->egress) return;
  queue::sender<any_slot>& leaving = *any_->egress;
  const std::int64_t places = leaving.to().places_for(bytes);
  if (!leaving.has_room(places)) return topic_.count_egress_dropped(1);
  put(leaving, borrowed.with_references(), places);
}

}  // namespace amphibus::detail
