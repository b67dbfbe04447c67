// orders: decides what becomes of an invoice. Who is not a known customer cannot order.
#include "messages.hpp"
#include "modules.hpp"

namespace shop {
namespace {

Verdict decide(const ReceivedT& order) {
  switch (order.kind) {
    case Kind::order: return order.customer.empty() ? Verdict::rejected : Verdict::accepted;
    case Kind::cancellation: return order.customer.empty() ? Verdict::rejected : Verdict::cancelled;
    case Kind::writeoff: return Verdict::written_off;
    case Kind::adjustment: return Verdict::adjusted;
    case Kind::end: break;
  }
  return Verdict::end;
}

}  // namespace

void start_orders(amphibus::module& m) {
  m.subscribe(received, [&m](const ReceivedT& order) {
    DecidedT out;
    out.invoice = order.invoice;
    out.day = order.day;
    out.customer = order.customer;
    out.country = order.country;
    out.units = order.units;
    out.pence = order.pence;
    out.verdict = decide(order);
    m.bus().publish(decided, std::move(out));
    if (order.kind == Kind::end) m.done();
  });
}

}  // namespace shop
