#include <amphibus/bus.hpp>
#include <cstdio>

struct order_placed { int id; int pence; };
inline constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};

int main() {
  amphibus::bus bus;                                             // in-process, no configuration
  auto sub = bus.subscribe(orders, [](const order_placed& o) { std::printf("order %d: %d p\n", o.id, o.pence); });
  bus.publish(orders, {.id = 1, .pence = 1999});
  bus.drain();                                                   // returns when everything accepted has been handled
}
