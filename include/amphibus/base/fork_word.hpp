#pragma once

#include <atomic>
#include <cstdint>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// A counter that reads 0 in the child of a fork, where nothing of the parent's threads exists any more.
///
/// It lives in a page of its own that the kernel wipes on fork (MADV_WIPEONFORK), so that the publish path, which
/// compares it anyway, notices without a check of its own. Where the kernel cannot, the child is not detected. Thread:
/// safe.
class fork_word {
 public:
  fork_word();
  ~fork_word();
  fork_word(const fork_word&) = delete;
  fork_word& operator=(const fork_word&) = delete;

  [[nodiscard]] std::atomic<std::uint64_t>& operator*() const noexcept { return *word_; }
  [[nodiscard]] bool in_child_of_fork() const noexcept { return word_->load(std::memory_order_relaxed) == 0; }

 private:
  std::atomic<std::uint64_t>* word_;
};

}  // namespace amphibus::base
#pragma GCC visibility pop
