#include <amphibus/wire/pod.hpp>

struct position {
  int latitude;
  int longitude;
};
#ifndef MISUSE
AMPHIBUS_POD(position, 1, latitude, longitude)
#endif

struct voyage {
  position from;
  position to;
};
AMPHIBUS_POD(voyage, 1, from, to)
