#include <amphibus/wire/pod.hpp>

struct position {
  long latitude;
#ifdef MISUSE
  const char* vessel;
#else
  std::array<char, 8> vessel;
#endif
};
AMPHIBUS_POD(position, 1, latitude, vessel)
