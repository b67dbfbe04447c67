// shipping: a parcel leaves when its invoice is written and its units are taken. Both streams name the orders in the
// same order, so the n-th shippable invoice belongs to the n-th shippable move, whichever comes first.
#include <deque>

#include "messages.hpp"
#include "modules.hpp"

namespace shop {
namespace {

// One publisher for both handlers: order is kept per source, and two handlers are two sources.
struct desk {
  explicit desk(amphibus::publisher<ShipmentT> to) : out(std::move(to)) {}

  amphibus::publisher<ShipmentT> out;
  std::deque<InvoiceT> billed;
  std::deque<stock_move> taken;
  bool invoices_ended = false;
  bool moves_ended = false;
};

void ship(amphibus::module& m, desk& at) {
  while (!at.billed.empty() && !at.taken.empty()) {
    ShipmentT parcel;
    parcel.invoice = at.billed.front().invoice;
    parcel.day = at.billed.front().day;
    parcel.customer = at.billed.front().customer;
    parcel.country = at.billed.front().country;
    parcel.units = at.taken.front().units;
    at.billed.pop_front();
    at.taken.pop_front();
    at.out.publish(std::move(parcel));
  }
  if (!at.invoices_ended || !at.moves_ended) return;
  ShipmentT end;
  end.end = true;
  at.out.publish(std::move(end));
  m.done();
}

}  // namespace

void start_shipping(amphibus::module& m) {
  auto& at = m.make<desk>(m.publisher(shipments));
  m.subscribe(invoices, [&](const InvoiceT& invoice) {
    if (invoice.ships) at.billed.push_back(invoice);
    at.invoices_ended = at.invoices_ended || invoice.end;
    ship(m, at);
  });
  m.subscribe(stock_moves, [&](const stock_move& move) {
    if (move.ships) at.taken.push_back(move);
    at.moves_ended = at.moves_ended || move.end;
    ship(m, at);
  });
}

}  // namespace shop
