#include <amphibus/topic.hpp>

#ifdef MISUSE
inline constexpr amphibus::topic<int> numbers{"shop..placed"};
#else
inline constexpr amphibus::topic<int> numbers{"shop.placed"};
#endif
