// The receivers of an outlet whose slots are of any type: patterns, stand-ins, the egress. Nothing here depends on the
// message type, so none of it is in a header that every user compiles.
#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/outlet_base.hpp>
#include <amphibus/detail/senders.hpp>

#include "detail/inline_subscriber.hpp"
#include "detail/writable_signal.hpp"

namespace amphibus::detail {

struct outlet_base::any_receivers {
  sender_list<any_slot> mailboxes;
  std::unique_ptr<queue::sender<any_slot>> egress;
};

outlet_base::outlet_base(bus_core& core, topic_core& to, source_state& by, queue::space_listener* remote)
    : core_(core), topic_(to), source_(by), remote_(remote), version_(&core.version()) {
  topic_.add_outlet(*this);
}

outlet_base::~outlet_base() {
  if (writable_) writable_->end();
  any_.reset();  // its senders leave while the gate is there
  topic_.remove_outlet(*this);
}

void outlet_base::adopt_any(const receiver_table& table) {
  const bool local = remote_ == nullptr;
  if (!any_) any_ = std::make_unique<any_receivers>();
  if (local) {
    adopt_senders(any_->mailboxes, gate_, table, {delivery_kind::queued_any}, false);
  } else {
    adopt_senders(any_->mailboxes, gate_, table, {delivery_kind::queued_any, delivery_kind::stand_in}, true);
  }
  if (!table.egress || !local) {  // what came from a transport never leaves again
    any_->egress.reset();
  } else if (!any_->egress) {
    any_->egress = std::make_unique<queue::sender<any_slot>>(gate_, table.egress);
  }
  if (any_->mailboxes.empty() && !any_->egress) any_.reset();
}

queue::inbox_base* outlet_base::refusing_any() noexcept {
  if (!any_) return nullptr;
  for (auto& each : any_->mailboxes) {
    if (each->refuses && !each->has_room()) return &each->to();
  }
  auto& egress = any_->egress;
  return egress && egress->refuses && !egress->has_room() ? &egress->to() : nullptr;
}

void outlet_base::return_any_credit() noexcept {
  if (!any_) return;
  for (auto& each : any_->mailboxes) each->return_credit();
  if (any_->egress) any_->egress->return_credit();
}

[[gnu::flatten]] void outlet_base::push_any(const any_slot& borrowed, inline_call* call) noexcept {
  if (inlines_ && call != nullptr) {
    call->who = inlines_;
    call->message = borrowed.with_references();
  }
  if (!any_) return;
  for (auto& each : any_->mailboxes) {
    if (!each->has_room() && !make_room(*each, borrowed.identity)) continue;
    any_slot own = borrowed.with_references();
    if (each->lost_since_push != 0) own.identity = tell_loss(*each, own.identity);
    put(*each, own);
  }
  if (!any_->egress) return;
  if (!any_->egress->has_room()) return topic_.count_egress_dropped(1);
  put(*any_->egress, borrowed.with_references());
}

}  // namespace amphibus::detail
