// Replaces the global operator new to count; a file of its own, because GCC warns where it sees through the pair.
#include "gates/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> counted{0};

}  // namespace

std::uint64_t bench::allocations() noexcept { return counted.load(std::memory_order_relaxed); }

void* operator new(std::size_t size) {
  counted.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  counted.fetch_add(1, std::memory_order_relaxed);
  const auto wanted = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(wanted, (size + wanted - 1) / wanted * wanted)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
