// How to test handlers: no thread, no waiting, no port. The checks are plain here; in your project they stand in the
// test framework that you have.
#include <amphibus/testing/test_bus.hpp>

#include <cstdio>
#include <string>

namespace {

// What is tested: a bounded context, written as for production. It takes a bus and knows nothing of tests.
struct order_placed {
  int id;
  int pence;
};
struct invoice {
  int order;
  int pence;
  std::string currency;
};
constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};
constexpr amphibus::topic<invoice> invoices{"shop.invoices"};

class billing {
 public:
  explicit billing(amphibus::bus& bus)
      : bus_(bus),
        sub_(bus.subscribe(orders, [this](const order_placed& o, const amphibus::context& c) { on(o, c); })) {}

  void on(const order_placed& order, const amphibus::context& with) {
    missed_ += with.lost_before();
    if (order.pence > 0)
      bus_.publish(invoices, {order.id, order.pence, std::string(with.header("currency").value_or("GBP"))});
  }
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

 private:
  amphibus::bus& bus_;
  std::uint64_t missed_ = 0;
  amphibus::subscription sub_;  // last: it ends before what its handler uses
};

int failures = 0;
void check(bool holds, const char* what) {
  std::printf("%s: %s\n", holds ? "ok" : "FAILED", what);
  failures += holds ? 0 : 1;
}

void test_through_the_bus() {
  amphibus::testing::test_bus test;
  const billing tested(test.bus());
  test.bus().publish(orders, {.id = 1, .pence = 1999}, {.headers = {{"currency", "EUR"}}});
  test.bus().publish(orders, {.id = 2, .pence = 0});
  test.run_until_idle();  // the handlers run here, on this thread

  const auto written = test.published(invoices);
  check(written.size() == 1, "an order of nothing gets no invoice");
  check(written.at(0).order == 1 && written.at(0).pence == 1999, "an invoice names its order and what it costs");
  check(written.at(0).currency == "EUR", "the currency comes from the header");
}

void test_by_calling_the_handler() {
  amphibus::testing::test_bus test;
  billing tested(test.bus());
  tested.on({.id = 3, .pence = 500}, test.context_for(orders, {.lost_before = 2}));
  check(tested.missed() == 2, "orders that were lost on the way are noticed");
  check(test.published(invoices).at(0).currency == "GBP", "without a header it is pounds");
}

}  // namespace

int main() {
  test_through_the_bus();
  test_by_calling_the_handler();
  return failures == 0 ? 0 : 1;
}
