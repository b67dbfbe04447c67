#include <amphibus/bus.hpp>

#include <mutex>

struct order_placed {
  int id;
  int pence;
};

#ifdef MISUSE
inline constexpr amphibus::topic<std::mutex> locks{"shop.locks"};
#else
inline constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};
#endif
