#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include <amphibus/base/atomic.hpp>
#include <amphibus/base/least.hpp>
#include <amphibus/base/prefetch.hpp>
#include <amphibus/base/small_mutex.hpp>
#include <amphibus/queue/pool.hpp>
#include <amphibus/queue/slot_run.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// What the two sides of a multicast share, and the writer's room in it, whatever its slots are.
///
/// Room is counted by position: how far the writer may go before it has to look at the credit of its readers again, or
/// for another block, so that a push pays for one comparison however many readers there are.
class multicast_base {
 public:
  multicast_base() = default;
  multicast_base(const multicast_base&) = delete;
  multicast_base& operator=(const multicast_base&) = delete;

  /// Anyone: how many messages were ever written.
  [[nodiscard]] std::uint64_t written() const noexcept {
    return written_.load(std::memory_order_acquire);  // SYNC(multicast.written)
  }
  /// Writer, or who excludes it: from here on no message has room.
  void take_room() noexcept { limit_.store(0, std::memory_order_relaxed); }
  [[nodiscard]] bool room_was_taken() const noexcept { return limit_.load(std::memory_order_relaxed) == 0; }
  /// Writer: so many may be pushed before its readers are asked for room again, or fewer.
  [[nodiscard]] std::uint64_t room_left() const noexcept { return room_end_ - position(); }
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
  // Positions.
  base::atomic<std::uint64_t> limit_{0};  // 0 where room was taken away, which two may do at once; else the nearer of:
  std::uint64_t room_end_ = 0;            // of the room at the readers
  std::uint64_t block_end_ = 0;           // of the block that is written
};

/// Some slots of a multicast. `references`: the readers that have not left it, and the writer while it writes there.
template <class Slot>
struct multicast_block : block_header {
  using element = Slot;  ///< what a message takes, one after the other
  static constexpr std::size_t bytes_per_slot = sizeof(Slot);

  base::atomic<multicast_block*> following;
  std::uint64_t start;  ///< the position of its first slot; written while nobody has a message to read in it
  std::uint32_t size;
  [[nodiscard]] element* elements() noexcept { return std::launder(reinterpret_cast<element*>(this + 1)); }
  [[nodiscard]] slot_run<Slot> run(std::uint32_t at, std::size_t count) noexcept { return {elements() + at, count}; }
};

/// The payloads lie together, and the identities only from where they do not follow each other: a message that is in
/// sequence is written, carried to other cores and read without.
template <identified Slot>
struct multicast_block<Slot> : block_header {
  using element = typename Slot::payload_type;
  using identity_type = typename Slot::identity_type;
  static constexpr std::size_t bytes_per_slot = sizeof(element) + sizeof(identity_type);

  base::atomic<multicast_block*> following;
  std::uint64_t start;  ///< the position of its first slot; written while nobody has a message to read in it
  std::uint32_t size;
  base::atomic<std::uint32_t> in_sequence;  ///< so many from the first on; the writer lowers it once
  identity_type first;                      ///< of these; written before any of them can be read

  /// Whose first message is that, if it is in sequence with those before.
  void begin(identity_type with) noexcept {
    ::new (static_cast<void*>(&in_sequence)) base::atomic<std::uint32_t>(size);
    first = with;
  }
  [[nodiscard]] element* elements() noexcept { return std::launder(reinterpret_cast<element*>(this + 1)); }
  /// Behind the elements: those that are out of sequence.
  [[nodiscard]] identity_type* identities() noexcept {
    return std::launder(reinterpret_cast<identity_type*>(elements() + size));
  }
  /// At most `count`: as far as they are in sequence, or all are not.
  [[nodiscard]] slot_run<Slot> run(std::uint32_t at, std::size_t count) noexcept {
    // Whoever knows of a message that is not in sequence sees that, by multicast.written.
    const std::uint32_t sequenced = in_sequence.load(std::memory_order_relaxed);
    if (at >= sequenced) return {elements() + at, identities() + at, count};
    return {elements() + at, first.packed_after(at), base::least<std::size_t>(count, sequenced - at)};
  }
};

/// What a writer knows of the identities of the block that it writes.
template <class Slot>
struct written_sequence {};
template <identified Slot>
struct written_sequence<Slot> {
  typename Slot::identity_type origin = Slot::identity_type::none();  ///< that of position 0; none: out of sequence
};

/// Slots in the largest blocks.
inline constexpr std::uint32_t large_block = 256;

template <class Slot, std::uint32_t SmallBlock = 16, std::uint32_t LargeBlock = large_block>
class multicast_reader;

/// One writer, any number of readers, each of which sees every message from its join to its leaving: written once,
/// stored once, handled in place.
///
/// A list of blocks; who leaves a block as the last gives it back to the writer, so the memory follows what the slowest
/// reader has not handled, and one reader that stands still holds back neither the writer nor the others. Unbounded by
/// itself: the readers' inboxes grant the room, or the writer takes from a reader what waits there longest. `Slot` is
/// trivially copyable. `SmallBlock`, `LargeBlock`: slots in the first blocks, because most publishers say little, and
/// in those of a writer that has been far ahead of its readers. Thread: the writer's methods by one thread at a time.
/// Lifetime: shared with its readers.
template <class Slot, std::uint32_t SmallBlock = 16, std::uint32_t LargeBlock = large_block>
class multicast : public multicast_base {
 public:
  using reader = multicast_reader<Slot, SmallBlock, LargeBlock>;

  multicast() = default;
  ~multicast() { end(); }

  /// A reader of everything that is written from now on. Throws: std::bad_alloc.
  [[nodiscard]] std::shared_ptr<reader> join(const std::shared_ptr<multicast>& self) {
    if (tail_ == nullptr) grow();
    auto joined = std::make_shared<reader>(self, tail_, position());
    tail_->references.fetch_add(1, std::memory_order_relaxed);
    ++readers_;
    only_reader_ = nullptr;
    sleepers_.store(true, std::memory_order_relaxed);  // nobody knows yet whether it sleeps
    take_room();
    return joined;
  }
  /// `who` sees nothing of what is written from now on.
  void part(reader& who) noexcept {
    // A block that was begun and has no message yet counts everybody who was there then; this one never gets there.
    // Unless it was begun again, by who reads there.
    const bool is_fresh = position() + tail_->size == block_end_ && position() != begun_again_at_;
    if (is_fresh && !who.joined_in(*tail_, position())) tail_->references.fetch_sub(1, std::memory_order_relaxed);
    who.end_.store(position(), std::memory_order_release);  // SYNC(multicast.end)
    --readers_;
    only_reader_ = nullptr;
  }
  /// Who reads alone; null: nobody, or several do. Until the next join() or part().
  void note_only_reader(const reader* who) noexcept { only_reader_ = who; }
  /// Nothing is written any more: lets go of what no reader holds. Precondition: no reader is left to part.
  void end() noexcept {
    if (tail_ == nullptr) return;
    leave(std::exchange(tail_, nullptr));
    std::exchange(pool_, nullptr)->retire();
    block_end_ = position();
    take_room();
  }

  /// Out of memory for a block is the end of the program.
  [[nodiscard, gnu::always_inline]] bool has_room() noexcept {
    return position() < limit_.load(std::memory_order_relaxed) || goes_on();
  }
  /// From here on `count` messages have room at every reader.
  void set_room(std::uint64_t count) noexcept {
    room_end_ = position() + count;
    limit_.store(base::least(room_end_, block_end_), std::memory_order_relaxed);
  }
  /// How many messages push_run() may push at once. Precondition: has_room() said so.
  [[nodiscard]] std::size_t room_together() const noexcept {
    return static_cast<std::size_t>(limit_.load(std::memory_order_relaxed) - position());
  }
  /// Pushes `make()` where there is room. Returns: false if there is none, and nothing was made.
  template <class Make>
  [[nodiscard, gnu::always_inline]] bool push_if_room(const Make& make) noexcept {
    const std::uint64_t at = position();
    if (at >= limit_.load(std::memory_order_relaxed) && !goes_on()) [[unlikely]]
      return false;
    push_at(at, make());
    return true;
  }
  /// The same with the payload of the message that follows the one before: next_in_sequence(), which is one.
  template <class Make>
  [[nodiscard, gnu::always_inline]] bool push_next_if_room(const Make& make) noexcept requires identified<Slot> {
    const std::uint64_t at = position();
    if (at >= limit_.load(std::memory_order_relaxed) && !goes_on()) [[unlikely]]
      return false;
    place_element(at, make());
    show(at + 1);
    return true;
  }
  /// What follows the message before; none() where that does not say, until the next block.
  [[nodiscard]] auto next_in_sequence() const noexcept requires identified<Slot> {
    const auto none = Slot::identity_type::none();
    return sequence_.origin == none ? none : sequence_.origin.packed_after(position());
  }
  /// Whether there is room or not, by who finds some afterwards.
  void push_in_any_case(const Slot& message) noexcept {
    if (position() == block_end_) grow();
    push_at(position(), message);
  }
  /// Calls `make(i, into)` for the messages 0 to count - 1 until one returns false, and shows them all at once to the
  /// readers. Returns: how many. Precondition: count <= room_together(); `make` does not throw.
  template <class Make>
  [[gnu::always_inline]] std::size_t push_run(std::size_t count, const Make& make) noexcept {
    const std::uint64_t from = position();
    std::size_t done = 0;
    for (Slot message; done != count && make(done, message); ++done) place(from + done, message);
    show(from + done);
    return done;
  }

 private:
  friend class multicast_reader<Slot, SmallBlock, LargeBlock>;
  /// How many slots ahead of the writer a line is asked for. Readers of other cores have the block's lines: without it
  /// each store waits for the one before to get its line (measured: 180 to 250 M/s).
  static constexpr std::size_t written_ahead = 16;
  static constexpr std::size_t alignment = base::most(alignof(multicast_block<Slot>), alignof(Slot));
  using element = typename multicast_block<Slot>::element;

  static void leave(multicast_block<Slot>* block) noexcept {
    if (release(*block)) block_pool::give_back(block);
  }

  [[gnu::always_inline]] void push_at(std::uint64_t position, const Slot& message) noexcept {
    place(position, message);
    show(position + 1);
  }
  /// To the readers, all that was placed before it.
  [[gnu::always_inline]] void show(std::uint64_t position) noexcept {
    written_.store(position, std::memory_order_release);  // SYNC(multicast.written): pairs with look()
  }
  [[gnu::always_inline]] void place(std::uint64_t position, const Slot& message) noexcept {
    if constexpr (identified<Slot>) {
      place_element(position, message.payload);
      if (message.identity != sequence_.origin.packed_after(position)) [[unlikely]]
        note_identity(position, message.identity);
    } else {
      place_element(position, message);
    }
  }
  [[gnu::always_inline]] void place_element(std::uint64_t position, const element& what) noexcept {
    auto* const at = reinterpret_cast<element*>(origin_ + position * sizeof(element));
    base::prefetch_to_write(at + written_ahead);
    ::new (static_cast<void*>(at)) element(what);
  }
  /// Of a message that is not in sequence: it begins one where it begins a block.
  template <class Identity>
  [[gnu::noinline]] void note_identity(std::uint64_t position, Identity identity) noexcept {
    const auto at = static_cast<std::uint32_t>(tail_->size - (block_end_ - position));
    if (at == 0 && identity.is_packed()) {
      tail_->first = identity;
      sequence_.origin = identity.packed_before(position);
      return;
    }
    sequence_.origin = Identity::none();
    if (tail_->in_sequence.load(std::memory_order_relaxed) > at)
      tail_->in_sequence.store(at, std::memory_order_relaxed);
    ::new (static_cast<void*>(tail_->identities() + at)) Identity(identity);
  }

  /// At the limit: true if that is only the end of the block.
  [[nodiscard, gnu::noinline]] bool goes_on() noexcept {
    if (limit_.load(std::memory_order_relaxed) == 0 || position() >= room_end_) return false;
    if (position() == block_end_) grow();
    limit_.store(base::least(room_end_, block_end_), std::memory_order_relaxed);
    return true;
  }
  /// Goes on in another block: of the same size as long as the readers are quick, or the messages few; or in the same
  /// one.
  void grow() {
    if (may_begin_again()) {
      begun_again_at_ = position();
      return begin(*tail_);
    }
    block_header* block = pool_ == nullptr ? nullptr : pool_->take_returned();
    if (block == nullptr) {
      if (pool_ == nullptr || (blocks_ == blocks_of_one_size && block_size_ < LargeBlock)) widen();
      block = pool_->take();
      blocks_ = base::least(blocks_ + 1, blocks_of_one_size);
    }
    auto* const fresh = static_cast<multicast_block<Slot>*>(block);
    ::new (static_cast<void*>(&fresh->following)) base::atomic<multicast_block<Slot>*>(nullptr);
    fresh->size = block_size_;
    fresh->references.store(readers_ + 1, std::memory_order_relaxed);
    multicast_block<Slot>* const full = std::exchange(tail_, fresh);
    begin(*fresh);
    if (full == nullptr) return;
    full->following.store(fresh, std::memory_order_release);  // SYNC(multicast.following)
    leave(full);
  }
  void begin(multicast_block<Slot>& block) noexcept {
    block.start = position();
    if constexpr (identified<Slot>) block.begin(sequence_.origin.packed_after(position()));
    origin_ = reinterpret_cast<std::uintptr_t>(block.elements()) - position() * sizeof(element);
    block_end_ = position() + block.size;
  }
  /// Where its only reader has read all, a small block is written again in place: a topic that says little, which most
  /// do, stays in the same few lines. Of a large one its reader is mostly not at the end, and the look costs a line.
  [[nodiscard]] bool may_begin_again() const noexcept {
    if (only_reader_ == nullptr || block_size_ != SmallBlock) return false;
    // In this order: who takes messages out to look at them later holds the block before it goes on.
    const std::uint64_t read = only_reader_->position_.load(std::memory_order_acquire);   // SYNC(multicast.read)
    return read == position() && tail_->references.load(std::memory_order_acquire) == 2;  // SYNC(block.references)
  }
  void widen() {
    block_size_ = pool_ == nullptr ? SmallBlock : base::least(block_size_ * 4, LargeBlock);
    block_pool* const wider = block_pool::make(
        sizeof(multicast_block<Slot>) + block_size_ * multicast_block<Slot>::bytes_per_slot, alignment);
    if (pool_ != nullptr) pool_->retire();
    pool_ = wider;
    blocks_ = 0;
  }

  /// So many blocks are out before the next one is larger.
  static constexpr std::uint32_t blocks_of_one_size = 4;

  // Beside limit_, all of it the writer's.
  std::uintptr_t origin_ = 0;  // of the tail: where its slot of position 0 would be
  [[no_unique_address]] written_sequence<Slot> sequence_;
  multicast_block<Slot>* tail_ = nullptr;
  std::uint32_t readers_ = 0;
  std::uint32_t block_size_ = 0;
  std::uint32_t blocks_ = 0;  // of this size, up to blocks_of_one_size
  const reader* only_reader_ = nullptr;
  std::uint64_t begun_again_at_ = std::numeric_limits<std::uint64_t>::max();  // the tail, without being left
  block_pool* pool_ = nullptr;
};

/// One reader's place in a multicast.
///
/// Its messages are handled where they lie, with look(), next() and advance(); or they are taken out with take(), by
/// its consumer and by the writer, which makes room so: what both take is nobody's twice. Thread: one consumer at a
/// time; its end is set by the writer.
template <class Slot, std::uint32_t SmallBlock, std::uint32_t LargeBlock>
class multicast_reader {
 public:
  using writer = multicast<Slot, SmallBlock, LargeBlock>;

  /// For multicast::join().
  multicast_reader(std::shared_ptr<writer> of, multicast_block<Slot>* block, std::uint64_t position) noexcept
      : of_(std::move(of)),
        joined_in_(block),
        joined_at_(position),
        block_(block),
        position_(position),
        known_(position) {}
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
      known_ = base::least(written, end_.load(std::memory_order_relaxed));
    }
    return position() != known_;
  }
  /// The messages that look() found, at most `max` and as far as they lie together; none if there are no more. They
  /// stay where they are until advance().
  [[nodiscard]] slot_run<Slot> next(std::size_t max) noexcept {
    if (position() == known_) return {};
    // The writer may have begun the block again, or another one: what is written there is known, so that is, too.
    std::uint64_t at = position() - block_->start;
    if (at == block_->size) {
      multicast_block<Slot>* const following = block_->following.load(std::memory_order_acquire);
      writer::leave(std::exchange(block_, following));  // SYNC(multicast.following)
      at = 0;
    }
    const std::uint64_t together = base::least<std::uint64_t>(known_ - position(), block_->size - at);
    return block_->run(static_cast<std::uint32_t>(at),
                       static_cast<std::size_t>(base::least<std::uint64_t>(together, max)));
  }
  /// The first `count` of them are done with: their slots may be used again.
  void advance(std::size_t count) noexcept {
    position_.store(position() + count, std::memory_order_release);  // SYNC(multicast.read)
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
  friend class multicast<Slot, SmallBlock, LargeBlock>;
  /// The block may have been used again since, but not at the same position.
  [[nodiscard]] bool joined_in(const multicast_block<Slot>& block, std::uint64_t position) const noexcept {
    return joined_in_ == &block && joined_at_ == position;
  }
  [[nodiscard]] std::uint64_t position() const noexcept { return position_.load(std::memory_order_relaxed); }

  const std::shared_ptr<writer> of_;
  const multicast_block<Slot>* const joined_in_;
  const std::uint64_t joined_at_;
  multicast_block<Slot>* block_;
  base::atomic<std::uint64_t> position_;  // of the next message, counted as by the writer
  std::uint64_t known_;                   // how far messages were seen to be there
  base::small_mutex taking_;              // with take(), around all of these
  base::atomic<std::uint64_t> end_{std::numeric_limits<std::uint64_t>::max()};
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
