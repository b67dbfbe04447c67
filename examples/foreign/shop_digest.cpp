// shop_digest --config FILE --process NAME [--set KEY=VALUE]…: the topics of the shop, as reader.py should see them.
#include "../shop/messages.hpp"

#include "digest.hpp"

int main(int argc, char** argv) {
  using foreign::canonical_text;
  return foreign::run_digests(argc, argv, [](amphibus::bus& bus, foreign::digests& to) {
    to.follow(bus, shop::received, [](const shop::ReceivedT& m) {
      return canonical_text(m.invoice, m.day, m.customer, m.country, m.units, m.pence, m.kind);
    });
    to.follow(bus, shop::decided, [](const shop::DecidedT& m) {
      return canonical_text(m.invoice, m.day, m.customer, m.country, m.units, m.pence, m.verdict);
    });
    to.follow(bus, shop::invoices, [](const shop::InvoiceT& m) {
      return canonical_text(m.invoice, m.day, m.customer, m.country, m.pence, m.ships, m.end);
    });
    to.follow(bus, shop::stock_moves, [](const shop::stock_move& m) {
      return canonical_text(m.invoice.view(), m.customer.view(), m.country.view(), m.day, m.units, m.ships, m.end);
    });
    to.follow(bus, shop::shipments, [](const shop::ShipmentT& m) {
      return canonical_text(m.invoice, m.day, m.customer, m.country, m.units, m.end);
    });
  });
}
