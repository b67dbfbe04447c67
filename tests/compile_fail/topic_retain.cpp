// What a topic retains has limits.
#include <amphibus/topic.hpp>

struct reading {
  int sensor;
  int value;
};
#ifdef MISUSE
constexpr amphibus::topic<reading> readings{"plant.readings", amphibus::retain::history(0)};
#else
constexpr amphibus::topic<reading> readings{"plant.readings", amphibus::retain::history(10)};
#endif

int main() { return readings.retained().per_key == 0 ? 1 : 0; }
