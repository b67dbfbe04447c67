#include <amphibus/bus.hpp>

struct order_placed {
  int id;
  int pence;
};
struct order_cancelled {
  int id;
};
inline constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};

void use(amphibus::bus& bus) {
#ifdef MISUSE
  bus.subscribe(orders, [](const order_placed&) {});
#else
  auto sub = bus.subscribe(orders, [](const order_placed&) {});
#endif
}
