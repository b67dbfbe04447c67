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
  auto mine = bus.publisher(orders);
#ifdef MISUSE
  auto yours = mine;
#else
  auto yours = std::move(mine);
#endif
  yours.publish({1, 1999});
}
