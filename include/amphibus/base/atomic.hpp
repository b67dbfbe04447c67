#pragma once

// The seam between lock-free code and its atomics: a model test names a header of its own, whose atomics the checker
// follows.
#ifdef AMPHIBUS_ATOMICS
#include AMPHIBUS_ATOMICS
#else
#include <atomic>

#pragma GCC visibility push(default)
namespace amphibus::base {

template <class T>
using atomic = std::atomic<T>;

}  // namespace amphibus::base
#endif
#pragma GCC visibility pop
