#include <amphibus/wire/pod.hpp>

struct position {
  int latitude;
  int longitude;
};
#ifdef MISUSE
AMPHIBUS_POD(position, 1, latitude, latitude)
#else
AMPHIBUS_POD(position, 1, latitude, longitude)
#endif
