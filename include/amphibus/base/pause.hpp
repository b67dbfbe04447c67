#pragma once

#include <amphibus/base/time.hpp>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Tells the core that this is a spin loop, and the sibling thread gets the pipeline. 10 to 45 ns, by processor.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// How many pauses take so long here; one at least. Measured at the first call, which takes some microseconds.
unsigned pauses_in(duration time) noexcept;

/// `count` pauses.
inline void pause(unsigned count) noexcept {
  for (unsigned i = 0; i != count; ++i) pause();
}

}  // namespace amphibus::base
#pragma GCC visibility pop
