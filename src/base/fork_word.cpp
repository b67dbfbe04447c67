#include <amphibus/base/fork_word.hpp>

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace amphibus::base {

#ifdef __linux__
namespace {
constexpr std::size_t page_size_bytes = 4096;
}

fork_word::fork_word() {
  void* const page = ::mmap(nullptr, page_size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  ::madvise(page, page_size_bytes, MADV_WIPEONFORK);
  word_ = ::new (page) std::atomic<std::uint64_t>(1);
}

fork_word::~fork_word() { ::munmap(static_cast<void*>(word_), page_size_bytes); }
#else
fork_word::fork_word() : word_(new std::atomic<std::uint64_t>(1)) {}
fork_word::~fork_word() { delete word_; }
#endif

}  // namespace amphibus::base
