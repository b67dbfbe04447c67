#include <amphibus/wire/pod.hpp>

enum class state : unsigned { moored, sailing };

#ifndef MISUSE
template <>
struct amphibus::enum_limits<state> {
  static constexpr state first = state::moored;
  static constexpr state last = state::sailing;
};
#endif

struct vessel {
  unsigned number;
  state now;
};
AMPHIBUS_POD(vessel, 1, number, now)
