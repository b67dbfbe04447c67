#include <amphibus/wire/pod.hpp>

struct position {
  int vessel;
#ifndef MISUSE
  std::array<std::byte, 4> reserved;
#endif
  double longitude;
};
#ifdef MISUSE
AMPHIBUS_POD(position, 1, vessel, longitude)
#else
AMPHIBUS_POD(position, 1, vessel, reserved, longitude)
#endif
