#include <amphibus/topic.hpp>

#ifdef MISUSE
inline constexpr amphibus::topic<int> numbers{"shop.*"};
#else
inline constexpr amphibus::topic<int> numbers{"shop.all"};
#endif
