#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/prefetch.hpp>
#include <amphibus/queue/byte_budget.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

class block_pool;

/// Head of every pooled block; the payload follows it.
struct block_header {
  base::atomic<std::uint32_t> references{1};
  block_pool* home = nullptr;
  union {
    block_header* next = nullptr;  ///< while it is in the pool
    std::size_t bytes;             ///< while it is out: of the message, as its publisher measured it
  };
};

/// Recycles blocks of one size: one owner takes, any thread gives back.
///
/// Freed blocks go to a stack that the owner empties with a single exchange, so there is no ABA and the warmest block
/// comes first; measured best of six schemes for fan-out of large messages (2.2 times make_shared + malloc). The number
/// of blocks is bounded by what is in flight at once, that is by the capacities of the inboxes. Thread: take() by one
/// owner at a time; give_back() by anyone. Lifetime: retire() instead of delete; the pool lives on until its last block
/// is back.
class block_pool {
 public:
  /// A pool for blocks of `size` bytes (header included) with `alignment`. `budget`: what the user of the blocks
  /// charges; only kept here.
  static block_pool* make(std::size_t size, std::size_t alignment, std::shared_ptr<byte_budget> budget = nullptr);
  /// Null if there is none.
  [[nodiscard]] byte_budget* budget() const noexcept { return budget_.get(); }

  /// A block whose header is fresh (one reference) and whose payload is raw memory. Throws std::bad_alloc.
  block_header* take() {
    block_header* const block = take_returned();
    return block != nullptr ? block : allocate();
  }
  /// The same, but only one that was used before; null if none is back.
  [[nodiscard]] block_header* take_returned() noexcept {
    if (local_ == nullptr) {
      local_ = returned_.exchange(nullptr, std::memory_order_acquire);  // SYNC(pool.returned)
    } else if (size_ >= cold_from && returned_.load(std::memory_order_relaxed) != nullptr) {
      take_warm();
    }
    block_header* block = local_;
    if (block == nullptr) return nullptr;
    local_ = block->next;
    prefetch_next();
    block->references.store(1, std::memory_order_relaxed);
    return block;
  }

  /// Returns a block whose payload is destroyed already.
  static void give_back(block_header* block) noexcept { give_back(block, block); }
  /// The same for several of one pool: from `first` on, each with the following one as its `next`.
  static void give_back(block_header* first, block_header* last) noexcept {
    block_pool& home = *first->home;
    block_header* head = home.returned_.load(std::memory_order_relaxed);
    do {
      if (head == home.retired_mark()) return home.free_after_retirement(first, last);
      last->next = head;
      // SYNC(pool.returned): releases the reader's last look at the payload to the next writer.
    } while (!home.returned_.compare_exchange_weak(head, first, std::memory_order_release, std::memory_order_relaxed));
  }

  /// The owner is done. Blocks still out free themselves; the last one frees the pool.
  void retire() noexcept;

  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;

 private:
  block_pool(std::size_t size, std::size_t alignment, std::shared_ptr<byte_budget> budget) noexcept;
  ~block_pool();
  block_header* retired_mark() noexcept { return reinterpret_cast<block_header*>(this); }
  /// The next block was in another core's hands last: its lines are on their way while this one is filled.
  void prefetch_next() const noexcept {
    const auto* const at = reinterpret_cast<const std::byte*>(local_);
    const std::size_t end = size_ < prefetched_max ? size_ : prefetched_max;
    for (std::size_t line = 0; at != nullptr && line < end; line += 64) base::prefetch_to_write(at + line);
  }
  static constexpr std::size_t prefetched_max = 512;  // beyond it the processor sees the stream itself
  /// Large blocks leave the caches while they wait: what came back last goes out first.
  static constexpr std::size_t cold_from = 65536;
  void take_warm() noexcept;
  block_header* allocate();
  void free_list(block_header* first) noexcept;
  void free_after_retirement(block_header* first, block_header* last) noexcept;
  void free_block(block_header* block) noexcept;

  const std::size_t size_;
  const std::size_t alignment_;
  const std::shared_ptr<byte_budget> budget_;
  // What who gives back reads lies above, and what the owner writes here, on a line of its own.
  alignas(64) block_header* local_ = nullptr;
  std::int64_t outstanding_ = 0;  // owner: blocks that exist
  alignas(64) base::atomic<block_header*> returned_{nullptr};
  base::atomic<std::int64_t> after_retirement_{0};
};

/// Drops one reference. Returns: true if it was the last: destroy the payload and give the block back.
[[nodiscard]] inline bool release(block_header& block) noexcept {
  // A single owner needs no read-modify-write: nobody else can add a reference.
  if (block.references.load(std::memory_order_acquire) == 1) return true;  // SYNC(block.references)
  return block.references.fetch_sub(1, std::memory_order_acq_rel) == 1;    // SYNC(block.references)
}

/// Blocks on their way back to their pool, together with what they were charged: one exchange and one addition for
/// many, because both lines are their publisher's. Keeps little, and nothing where half of the memory is taken: who
/// waits for it must not wait for what runs here meanwhile. Thread: confined.
class returning_blocks {
 public:
  returning_blocks() = default;
  ~returning_blocks() { give_back(); }
  returning_blocks(const returning_blocks&) = delete;
  returning_blocks& operator=(const returning_blocks&) = delete;

  /// `block`: its payload is destroyed, and its pool has a budget, which was charged `cost` for it.
  void add(block_header* block, std::int64_t cost) noexcept {
    if (block->home != home_) [[unlikely]]
      begin(*block->home);
    if (first_ == nullptr) last_ = block;
    block->next = std::exchange(first_, block);
    cost_ += cost;
    if (cost_ >= kept_max_) give_back();
  }

 private:
  void begin(block_pool& home) noexcept {
    give_back();
    home_ = &home;
    const credit_account& memory = home.budget()->credit();
    const std::int64_t little = memory.capacity() / 64 < kept_max_bytes ? memory.capacity() / 64 : kept_max_bytes;
    kept_max_ = memory.available() > memory.capacity() / 2 ? little : 0;
  }
  void give_back() noexcept {
    if (first_ == nullptr) return;
    home_->budget()->give_back(std::exchange(cost_, 0));
    block_pool::give_back(std::exchange(first_, nullptr), last_);  // the pool, and with it the budget, may be gone
    home_ = nullptr;
  }

  static constexpr std::int64_t kept_max_bytes = 64 * 1024;

  block_pool* home_ = nullptr;
  block_header* first_ = nullptr;  // the one that came last
  block_header* last_ = nullptr;
  std::int64_t cost_ = 0;
  std::int64_t kept_max_ = 0;
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
