#include <amphibus/wire/pod.hpp>

struct position {
  int latitude;
  int longitude;
};
#ifdef MISUSE
AMPHIBUS_POD(position, 0, latitude, longitude)
#else
AMPHIBUS_POD(position, 65535, latitude, longitude)
#endif
