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
  auto sub = bus.subscribe(orders, [](order_placed& shared_with_others) { shared_with_others.pence = 0; });
#else
  auto sub = bus.subscribe(orders, [](order_placed own_copy) { own_copy.pence = 0; });
#endif
}
