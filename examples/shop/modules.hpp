#pragma once

#include <string>

#include <amphibus/module.hpp>

/// The bounded contexts; each is one file and knows the others only by their messages.
namespace shop {

/// What the command line says after `--`.
struct settings {
  std::string data;      ///< path of the order file
  unsigned rounds = 1;   ///< how often the data is fed
  std::string ledger;    ///< path that the ledger is written to; empty: nowhere
  std::string sabotage;  ///< lose, dup, swap or empty
};

void start_feed(amphibus::module& m, const settings& with);
void start_orders(amphibus::module& m);
void start_billing(amphibus::module& m);
void start_stock(amphibus::module& m);
void start_shipping(amphibus::module& m);
void start_ledger(amphibus::module& m, const settings& with);

}  // namespace shop
