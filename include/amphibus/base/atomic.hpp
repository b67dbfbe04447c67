#pragma once

// The seam between lock-free code and what it is made of: a model test names a header of its own, whose atomics, locks
// and barriers the checker follows (tests/model/seam.hpp).
#ifdef AMPHIBUS_ATOMICS
#include AMPHIBUS_ATOMICS
#else
#include <atomic>
#include <mutex>
#endif

#pragma GCC visibility push(default)
namespace amphibus::base {

#ifndef AMPHIBUS_ATOMICS
template <class T>
using atomic = std::atomic<T>;
using mutex = std::mutex;
void yield() noexcept;
#endif

}  // namespace amphibus::base
#pragma GCC visibility pop
