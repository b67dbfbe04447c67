#pragma once

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Asks for the cache line of `address`, which will be written soon: others give it up meanwhile. Any address, also one
/// that is not mapped.
inline void prefetch_to_write(const void* address) noexcept {
#if defined(__x86_64__)
  // GCC emits this instruction only with -mprfchw; processors without it ignore it.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace amphibus::base
#pragma GCC visibility pop
