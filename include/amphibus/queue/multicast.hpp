#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/prefetch.hpp>
#include <amphibus/queue/pool.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// What the two sides of a multicast share, and the writer's room in it, whatever its slots are.
///
/// Room is counted by position: how far the writer may go before it has to look at the credit of its readers again, so
/// that a push pays for one comparison however many readers there are.
class multicast_base {
 public:
  multicast_base() = default;
  multicast_base(const multicast_base&) = delete;
  multicast_base& operator=(const multicast_base&) = delete;

  /// Anyone: how many messages were ever written.
  [[nodiscard]] std::uint64_t written() const noexcept {
    return written_.load(std::memory_order_acquire);  // SYNC(multicast.written)
  }
  /// Writer.
  [[nodiscard, gnu::always_inline]] bool has_room() const noexcept {
    return position() != limit_.load(std::memory_order_relaxed);
  }
  /// Writer, or who excludes it: from here on `count` messages have room at every reader.
  void set_room(std::uint64_t count) noexcept { limit_.store(position() + count, std::memory_order_relaxed); }
  /// Writer, or who excludes it.
  [[nodiscard, gnu::always_inline]] std::uint64_t position() const noexcept {
    return written_.load(std::memory_order_relaxed);
  }

  /// Reader, before the heavy barrier that precedes its last look: the next push looks who sleeps.
  void note_sleeper() noexcept { sleepers_.exchange(true, std::memory_order_acq_rel); }  // SYNC(multicast.sleepers)
  /// Writer, after a push and a light barrier: take_sleepers() may be true.
  [[nodiscard, gnu::always_inline]] bool may_have_sleepers() const noexcept {
    return sleepers_.load(std::memory_order_relaxed);
  }
  /// Writer, after a push and a light barrier. True at most once per note_sleeper(): then look at every reader.
  [[nodiscard]] bool take_sleepers() noexcept {
    // SYNC(multicast.sleepers): both sides exchange, so a reader that notes itself after this sees what was pushed
    // before, and one that did so before is seen asleep.
    return may_have_sleepers() && sleepers_.exchange(false, std::memory_order_acq_rel);
  }

 protected:
  ~multicast_base() = default;

  // On a line of its own what every push writes and readers poll; then what is the writer's, but for who falls asleep.
  alignas(64) base::atomic<std::uint64_t> written_{0};
  alignas(64) base::atomic<bool> sleepers_{true};
  base::atomic<std::uint64_t> limit_{0};  // atomic, because two may take room away at once
};

/// Some slots of a multicast. `references`: the readers that have not left it, and the writer while it writes there.
template <class Slot>
struct multicast_block : block_header {
  base::atomic<multicast_block*> following;
  std::uint32_t size;
  [[nodiscard]] Slot* slots() noexcept { return std::launder(reinterpret_cast<Slot*>(this + 1)); }
};

template <class Slot, std::uint32_t FirstBlock = 16, std::uint32_t Block = 256>
class multicast_reader;

/// One writer, any number of readers, each of which sees every message from its join to its leaving: written once,
/// stored once, handled in place.
///
/// A list of blocks; who leaves a block as the last gives it back to the writer, so the memory follows what the slowest
/// reader has not handled, and one reader that stands still holds back neither the writer nor the others. Unbounded by
/// itself: the readers' inboxes grant the room, or the writer takes from a reader what waits there longest. `Slot` is
/// trivially copyable. `FirstBlock`, `Block`: slots in the first block, small because most publishers say little, and
/// in the others. Thread: the writer's methods by one thread at a time. Lifetime: shared with its readers.
template <class Slot, std::uint32_t FirstBlock = 16, std::uint32_t Block = 256>
class multicast : public multicast_base {
 public:
  using reader = multicast_reader<Slot, FirstBlock, Block>;

  multicast() = default;
  ~multicast() { end(); }

  /// A reader of everything that is written from now on. Throws: std::bad_alloc.
  [[nodiscard]] std::shared_ptr<reader> join(const std::shared_ptr<multicast>& self) {
    if (tail_ == nullptr) grow();
    auto joined = std::make_shared<reader>(self, tail_, static_cast<std::uint32_t>(next_ - tail_->slots()), position());
    tail_->references.fetch_add(1, std::memory_order_relaxed);
    ++readers_;
    sleepers_.store(true, std::memory_order_relaxed);  // nobody knows yet whether it sleeps
    set_room(0);
    return joined;
  }
  /// `who` sees nothing of what is written from now on.
  void part(reader& who) noexcept {
    who.end_.store(position(), std::memory_order_release);  // SYNC(multicast.end)
    --readers_;
  }
  /// Nothing is written any more: lets go of what no reader holds. Precondition: no reader is left to part.
  void end() noexcept {
    if (tail_ == nullptr) return;
    leave(std::exchange(tail_, nullptr));
    std::exchange(pool_, nullptr)->retire();
    next_ = end_ = nullptr;
  }

  /// Precondition: has_room(). Out of memory for a block is the end of the program.
  [[gnu::always_inline]] void push(const Slot& message) noexcept {
    if (next_ == end_) [[unlikely]]
      grow();
    base::prefetch_to_write(next_ + written_ahead);
    ::new (static_cast<void*>(next_)) Slot(message);
    ++next_;
    written_.store(position() + 1, std::memory_order_release);  // SYNC(multicast.written): pairs with look()
  }

 private:
  friend class multicast_reader<Slot, FirstBlock, Block>;
  /// How many slots ahead of the writer a line is asked for. Readers of other cores have the block's lines: without it
  /// each store waits for the one before to get its line (measured: 180 to 250 M/s).
  static constexpr std::size_t written_ahead = 16;
  static constexpr std::size_t alignment = std::max(alignof(multicast_block<Slot>), alignof(Slot));

  static void leave(multicast_block<Slot>* block) noexcept {
    if (release(*block)) block_pool::give_back(block);
  }

  /// Goes on in another block.
  [[gnu::noinline]] void grow() {
    const std::uint32_t size = tail_ == nullptr ? FirstBlock : Block;
    if (pool_ == nullptr || size != block_size_) {
      block_pool* const wider = block_pool::make(sizeof(multicast_block<Slot>) + size * sizeof(Slot), alignment);
      if (pool_ != nullptr) pool_->retire();
      pool_ = wider;
      block_size_ = size;
    }
    auto* const fresh = static_cast<multicast_block<Slot>*>(pool_->take());
    ::new (static_cast<void*>(&fresh->following)) base::atomic<multicast_block<Slot>*>(nullptr);
    fresh->size = size;
    fresh->references.store(readers_ + 1, std::memory_order_relaxed);
    multicast_block<Slot>* const full = std::exchange(tail_, fresh);
    next_ = fresh->slots();
    end_ = next_ + size;
    if (full == nullptr) return;
    full->following.store(fresh, std::memory_order_release);  // SYNC(multicast.following)
    leave(full);
  }

  // Beside limit_, all of it the writer's.
  Slot* next_ = nullptr;  // in the tail
  Slot* end_ = nullptr;
  std::uint32_t readers_ = 0;
  multicast_block<Slot>* tail_ = nullptr;
  block_pool* pool_ = nullptr;
  std::uint32_t block_size_ = 0;
};

/// Messages that lie one after the other.
template <class Slot>
struct slot_run {
  Slot* first = nullptr;
  std::size_t count = 0;
  explicit operator bool() const noexcept { return count != 0; }
};

/// One reader's place in a multicast.
///
/// Its messages are handled where they lie, with look(), next() and advance(); or they are taken out with take(), by
/// its consumer and by the writer, which makes room so: what both take is nobody's twice. Thread: one consumer at a
/// time; its end is set by the writer.
template <class Slot, std::uint32_t FirstBlock, std::uint32_t Block>
class multicast_reader {
 public:
  using writer = multicast<Slot, FirstBlock, Block>;

  /// For multicast::join().
  multicast_reader(std::shared_ptr<writer> of, multicast_block<Slot>* block, std::uint32_t at,
                   std::uint64_t position) noexcept
      : of_(std::move(of)), block_(block), at_(at), position_(position), known_(position) {}
  multicast_reader(const multicast_reader&) = delete;
  multicast_reader& operator=(const multicast_reader&) = delete;
  /// Precondition: the writer parted with it. What it has not taken is lost, without being dropped.
  ~multicast_reader() {
    while (position() != end_.load(std::memory_order_relaxed)) {
      known_ = end_.load(std::memory_order_relaxed);
      advance(next(std::numeric_limits<std::size_t>::max()).count);
    }
    writer::leave(block_);
  }

  [[nodiscard]] multicast_base& source() noexcept { return *of_; }

  /// Looks for new messages. Returns: true if there are some.
  [[nodiscard]] bool look() noexcept {
    if (position() == known_) {
      // In this order: what is written after the end is not ours, and whoever sees it written sees the end.
      const std::uint64_t written = of_->written();
      known_ = std::min(written, end_.load(std::memory_order_relaxed));
    }
    return position() != known_;
  }
  /// The messages that look() found, at most `max` and as far as they lie together; none if there are no more. They
  /// stay where they are until advance().
  [[nodiscard]] slot_run<Slot> next(std::size_t max) noexcept {
    if (position() == known_) return {};
    if (at_ == block_->size) {
      // What is written there is known, so the block is too.
      multicast_block<Slot>* const following = block_->following.load(std::memory_order_acquire);
      writer::leave(std::exchange(block_, following));  // SYNC(multicast.following)
      at_ = 0;
    }
    const std::uint64_t together = std::min<std::uint64_t>(known_ - position(), block_->size - at_);
    return {block_->slots() + at_, static_cast<std::size_t>(std::min<std::uint64_t>(together, max))};
  }
  /// The first `count` of them are done with: their slots may be used again.
  void advance(std::size_t count) noexcept {
    at_ += static_cast<std::uint32_t>(count);
    position_.store(position() + count, std::memory_order_relaxed);
  }
  /// True if nothing comes any more.
  [[nodiscard]] bool is_over() const noexcept {
    return position() == end_.load(std::memory_order_acquire);  // SYNC(multicast.end)
  }

  /// Consumer: take() would find nothing.
  [[nodiscard]] bool has_all() const noexcept { return position() == of_->written(); }
  /// Consumer, or the writer: calls `use(slot_run)` with the next messages, at most `max` and as far as they lie
  /// together, if there are some. Before that `taken(count)`, under a lock that the other side takes, too: what it does
  /// is seen by who finds them gone. Returns: how many.
  template <class Taken, class Use>
  std::size_t take(std::size_t max, const Taken& taken, const Use& use) noexcept {
    slot_run<Slot> run;
    multicast_block<Slot>* in = nullptr;
    {
      const std::lock_guard lock(taking_);
      if (!look()) return 0;
      run = next(max);
      in = block_;
      in->references.fetch_add(1, std::memory_order_relaxed);  // the reader may leave it before `use` returns
      advance(run.count);
      taken(run.count);
    }
    use(run);
    writer::leave(in);
    return run.count;
  }

 private:
  friend class multicast<Slot, FirstBlock, Block>;
  [[nodiscard]] std::uint64_t position() const noexcept { return position_.load(std::memory_order_relaxed); }

  const std::shared_ptr<writer> of_;
  multicast_block<Slot>* block_;
  std::uint32_t at_;                      // in the block
  base::atomic<std::uint64_t> position_;  // of the next message, counted as by the writer
  std::uint64_t known_;                   // how far messages were seen to be there
  base::mutex taking_;                    // with take(), around all of these
  base::atomic<std::uint64_t> end_{std::numeric_limits<std::uint64_t>::max()};
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
