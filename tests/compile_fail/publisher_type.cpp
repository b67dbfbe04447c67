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
  auto out = bus.publisher(orders);
#ifdef MISUSE
  out.publish(order_cancelled{1});
#else
  out.publish(order_placed{1, 1999});
#endif
}
