// shop [--config FILE …] [-- --rounds N --data FILE --ledger FILE]   runs the modules that the file places here
// shop up --config FILE                                              runs every process of the file
// shop demo [--sabotage lose|dup|swap|kill] [--seconds S]            runs three placements and compares their ledgers
#include <cstdio>
#include <cstring>
#include <functional>

#include <amphibus/app.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/testing/fault_points.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "demo.hpp"
#include "modules.hpp"

namespace {

/// Breaks the transport behind its own sequence check, so that nothing mends it.
constexpr std::uint64_t fault_every = 997;

bool arm(amphibus::testing::fault_points& faults, const std::string& sabotage) {
  using amphibus::base::fault_action;
  const auto action = sabotage == "lose"  ? fault_action::lose
                      : sabotage == "dup" ? fault_action::duplicate
                                          : fault_action::swap;
  if (sabotage != "lose" && sabotage != "dup" && sabotage != "swap") return false;
  faults.arm("zeromq.deliver", action, fault_every);
  return true;
}

/// Reads `--name value` pairs. Returns: false, after saying why, if one is unknown.
bool read_settings(const std::vector<std::string>& from, shop::settings& into) {
  for (std::size_t i = 0; i < from.size(); i += 2) {
    const std::string value = i + 1 < from.size() ? from[i + 1] : "";
    if (from[i] == "--rounds") {
      into.rounds = static_cast<unsigned>(std::max(1L, std::strtol(value.c_str(), nullptr, 10)));
    } else if (from[i] == "--data") {
      into.data = value;
    } else if (from[i] == "--ledger") {
      into.ledger = value;
    } else if (from[i] == "--sabotage") {
      into.sabotage = value;
    } else {
      std::fprintf(stderr,
                   "shop: unknown argument '%s'; known: --rounds N, --data FILE, --ledger FILE, --sabotage WHAT\n",
                   amphibus::escaped(from[i]).c_str());
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "demo") == 0) return shop::run_demo({argv + 2, argv + argc});
  amphibus::app app{argc, argv};
  shop::settings with;
  with.data = SHOP_DATA_DIR "/online_retail_orders.csv";
  if (!read_settings(app.arguments(), with)) return 2;
  amphibus::testing::fault_points faults;
  const bool broken = arm(faults, with.sabotage);
  app.transport(amphibus::zeromq::transport({.faults = broken ? &faults : nullptr}));
  app.module("feed", [&](amphibus::module& m) { shop::start_feed(m, with); });
  app.module("orders", shop::start_orders);
  app.module("billing", shop::start_billing);
  app.module("stock", shop::start_stock);
  app.module("shipping", shop::start_shipping);
  app.module("ledger", [&](amphibus::module& m) { shop::start_ledger(m, with); });
  const int code = app.run();
  if (app.bytes().sent_bytes != 0) {
    std::printf("WIRE sent=%llu\n", static_cast<unsigned long long>(app.bytes().sent_bytes));
  }
  return code;
}
