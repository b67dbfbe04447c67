#include <amphibus/wire/pod.hpp>

#include <string>

struct position {
  long latitude;
#ifdef MISUSE
  std::string vessel;
#else
  std::array<char, 8> vessel;
#endif
};
AMPHIBUS_POD(position, 1, latitude, vessel)
