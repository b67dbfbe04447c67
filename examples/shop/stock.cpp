// stock: units leave with orders, come back with cancellations, and vanish with write-offs.
#include "messages.hpp"
#include "modules.hpp"

namespace shop {

void start_stock(amphibus::module& m) {
  m.subscribe(decided, [&m](const DecidedT& order) {
    const bool end = order.verdict == Verdict::end;
    if (order.verdict == Verdict::rejected || order.verdict == Verdict::adjusted) return;
    stock_move out;
    out.invoice = std::string_view(order.invoice);
    out.customer = std::string_view(order.customer);
    out.country = std::string_view(order.country);
    out.day = order.day;
    out.units = order.units;
    out.ships = order.verdict == Verdict::accepted;
    out.end = end;
    m.bus().publish(stock_moves, out);
    if (end) m.done();
  });
}

}  // namespace shop
