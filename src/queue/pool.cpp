#include <amphibus/queue/pool.hpp>

#include <utility>

namespace amphibus::queue {

block_pool* block_pool::make(std::size_t size, std::size_t alignment, std::shared_ptr<byte_budget> budget) {
  return new block_pool(size, alignment, std::move(budget));
}

block_pool::block_pool(std::size_t size, std::size_t alignment, std::shared_ptr<byte_budget> budget) noexcept
    : size_(size), alignment_(alignment), budget_(std::move(budget)) {}

block_pool::~block_pool() = default;

block_header* block_pool::allocate() {
  auto* block = ::new (::operator new (size_, std::align_val_t{alignment_})) block_header;
  block->home = this;
  ++outstanding_;
  return block;
}

void block_pool::take_warm() noexcept {
  block_header* const first = returned_.exchange(nullptr, std::memory_order_acquire);  // SYNC(pool.returned)
  block_header* last = first;
  while (last->next != nullptr) last = last->next;
  last->next = std::exchange(local_, first);
}

void block_pool::free_block(block_header* block) noexcept {
  ::operator delete (static_cast<void*>(block), std::align_val_t{alignment_});
}

void block_pool::free_list(block_header* first) noexcept {
  while (first != nullptr) {
    block_header* const next = first->next;
    free_block(first);
    --outstanding_;
    first = next;
  }
}

void block_pool::retire() noexcept {
  free_list(local_);
  free_list(returned_.exchange(retired_mark(), std::memory_order_acq_rel));  // SYNC(pool.returned)
  // Blocks that came back in between made the count negative; whoever brings it to zero is the last.
  const std::int64_t still_out = outstanding_;
  if (after_retirement_.fetch_add(still_out, std::memory_order_acq_rel) + still_out == 0) delete this;
}

void block_pool::free_after_retirement(block_header* first, block_header* last) noexcept {
  last->next = nullptr;
  std::int64_t count = 0;
  for (block_header* each = first; each != nullptr; ++count) free_block(std::exchange(each, each->next));
  if (after_retirement_.fetch_sub(count, std::memory_order_acq_rel) == count) delete this;
}

}  // namespace amphibus::queue
