#pragma once

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Tells the core that this is a spin loop: about 25 ns, and the sibling thread gets the pipeline.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

/// `count` pauses.
inline void pause(unsigned count) noexcept {
  for (unsigned i = 0; i != count; ++i) pause();
}

}  // namespace amphibus::base
#pragma GCC visibility pop
