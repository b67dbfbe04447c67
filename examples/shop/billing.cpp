// billing: invoices for accepted orders, credit notes for cancellations, adjustments as they come.
#include "messages.hpp"
#include "modules.hpp"

namespace shop {

void start_billing(amphibus::module& m) {
  m.subscribe(decided, [&m](const DecidedT& order) {
    const bool end = order.verdict == Verdict::end;
    if (order.verdict == Verdict::rejected || order.verdict == Verdict::written_off) return;
    InvoiceT out;
    out.invoice = order.invoice;
    out.day = order.day;
    out.customer = order.customer;
    out.country = order.country;
    out.pence = order.pence;
    out.ships = order.verdict == Verdict::accepted;
    out.end = end;
    m.bus().publish(invoices, std::move(out));
    if (end) m.done();
  });
}

}  // namespace shop
