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
  bus.publish(orders, order_cancelled{1});
#else
  bus.publish(orders, order_placed{1, 1999});
#endif
}
