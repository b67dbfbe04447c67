#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <amphibus/base/assert.hpp>
#include <amphibus/base/barrier.hpp>
#include <amphibus/base/ids.hpp>
#include <amphibus/base/parker.hpp>
#include <amphibus/base/tsan.hpp>
#include <amphibus/queue/credit.hpp>
#include <amphibus/queue/gate.hpp>

namespace amphibus::queue {

/// What a producer that found no room does.
enum class overflow_kind : std::uint8_t {
  block,        ///< the publish waits, or is refused as a whole
  fail,         ///< the publish is refused as a whole, at once
  drop_newest,  ///< the message passes this inbox by and is counted
  drop_oldest,  ///< the same source's oldest queued message makes room and is counted
  latest,       ///< one place per key: a newer message replaces what waits (see keyed_store)
};

[[nodiscard]] constexpr bool refuses_when_full(overflow_kind kind) noexcept {
  return kind == overflow_kind::block || kind == overflow_kind::fail;
}

struct overflow_rule {
  overflow_kind kind = overflow_kind::block;
  base::duration block_timeout = std::chrono::seconds(5);  ///< how long a publish waits for room; only for block
};

/// Traits of the queues: blocks of 128 because busy inboxes gain up to 40 % over 32; no implicit producers, whose hash
/// costs 9 KB per queue.
struct inbox_traits : moodycamel::ConcurrentQueueDefaultTraits {
  static constexpr std::size_t BLOCK_SIZE = 128;
  static constexpr std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;
  static constexpr std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 8;
};

class inbox_base;

/// One producer's side of one inbox, the part without the slot type.
///
/// `credit` belongs to whoever is inside `owner`; `pushed` is written there and read by anyone.
struct sender_state {
  gate* owner = nullptr;
  std::int64_t credit = 0;               ///< places taken from the inbox and not yet used
  std::atomic<std::uint64_t> pushed{0};  ///< written before the push is visible, so never behind inbox_base::finished()
  bool refuses = true;                   ///< the inbox's overflow kind, beside what every publish reads
  std::uint64_t lost_since_push = 0;     ///< dropped here and not told: lost_before of the next message of its source
  bool many_sources = false;             ///< a transport's input speaks for many

  void add_loss(const source_id& of, std::uint64_t count);
  /// Returns: how many of that source were lost and not told; now they are.
  std::uint64_t take_loss(const source_id& of) noexcept;

 private:
  struct source_loss {
    source_id source;
    std::uint64_t count;
  };
  std::vector<source_loss> lost_by_source_;  // with many_sources, the parts of lost_since_push
};

/// The bounded, counted part of an inbox that does not depend on what is in it.
///
/// Bound: `capacity` messages accepted and not finished, the ones in the handler's hand included; with drop_oldest
/// those that wait. Thread: safe, each method says for whom. Lifetime: shared by its producers; outlives its consumer.
class inbox_base {
 public:
  /// One that keeps the latest has no places of its own: nothing is ever pushed into it.
  inbox_base(std::int64_t capacity, overflow_rule overflow)
      : credit_(overflow.kind == overflow_kind::latest ? 0 : capacity), overflow_(overflow) {}
  inbox_base(const inbox_base&) = delete;
  inbox_base& operator=(const inbox_base&) = delete;
  virtual ~inbox_base() = default;

  [[nodiscard]] const overflow_rule& overflow() const noexcept { return overflow_; }
  [[nodiscard]] credit_account& credit() noexcept { return credit_; }

  /// Producer, after its pushes: makes sure that the consumer looks again before it sleeps. Costs a load when awake.
  void announce() noexcept {
    base::light_barrier();
    if (!active_.load(std::memory_order_relaxed)) [[unlikely]]
      activate();
  }
  /// Fetches more credit for `who` in a chunk that idle producers cannot hoard. Returns: true if there is some now.
  bool refill(sender_state& who) noexcept;
  /// Takes the unused credit of producers that are not publishing right now. Returns: true if any was found; without a
  /// barrier if there is none to find. Precondition: the caller is outside every gate.
  bool reclaim_idle_credit();
  void join(sender_state& who);
  /// Returns the credit of `who` and keeps its count.
  void part(sender_state& who);

  /// Consumer: `count` messages are handled, in the sense of the bound.
  void finish(std::uint64_t count) noexcept {
    if (count == 0) return;
    // SYNC(inbox.finished): releases what the handler published; pairs with finished().
    if (many_finishers_) {
      finished_.fetch_add(count, std::memory_order_release);
    } else {
      finished_.store(finished_.load(std::memory_order_relaxed) + count, std::memory_order_release);
    }
    const bool counted_until_now =
        overflow_.kind != overflow_kind::latest && overflow_.kind != overflow_kind::drop_oldest;
    if (counted_until_now) credit_.give_back(static_cast<std::int64_t>(count));
  }
  /// Producer: one message that was pushed will never reach the consumer; its place passes to whoever replaced it.
  void count_replaced() noexcept { replaced_.fetch_add(1, std::memory_order_release); }
  /// Consumer: stop promising to look. Follow with one heavy_barrier() for any number of inboxes, then looks_empty().
  void deactivate() noexcept { active_.store(false, std::memory_order_relaxed); }
  /// Consumer, after deactivate() and the barrier, if messages came: promise again. Returns: false if a producer did so
  /// already and activated() has been called.
  bool reactivate() noexcept { return !active_.exchange(true, std::memory_order_acq_rel); }

  [[nodiscard]] std::uint64_t replaced() const noexcept { return replaced_.load(std::memory_order_acquire); }
  /// finish() comes from any thread. Before the first push.
  void finish_from_many_threads() noexcept { many_finishers_ = true; }
  /// Handled, or replaced by a newer one.
  [[nodiscard]] std::uint64_t finished() const noexcept {
    return finished_.load(std::memory_order_acquire) + replaced_.load(std::memory_order_acquire);
  }
  /// Everything ever pushed. Read finished() of all inboxes first, then pushed() of all: equal sums mean that nothing
  /// was in flight in between (Mattern's counting with monotone counters).
  [[nodiscard]] std::uint64_t pushed() const;

 protected:
  /// Called once per sleep by the first producer, on its thread: make the consumer look.
  virtual void activated() noexcept = 0;

 private:
  void activate() noexcept {
    if (!active_.exchange(true, std::memory_order_acq_rel)) activated();
  }
  [[nodiscard]] std::int64_t chunk() const noexcept;
  [[nodiscard]] std::uint64_t pushed_locked() const noexcept;

  credit_account credit_;
  const overflow_rule overflow_;
  bool many_finishers_ = false;
  alignas(64) std::atomic<bool> active_{false};         // read by every publish
  alignas(64) std::atomic<std::uint64_t> finished_{0};  // written by the consumer
  std::atomic<std::uint64_t> replaced_{0};
  mutable std::mutex senders_mutex_;
  std::vector<sender_state*> senders_;
  std::atomic<std::int64_t> sender_count_{0};
  std::uint64_t pushed_by_parted_ = 0;
};

/// A bounded multi-producer single-consumer queue of `Slot`: moodycamel's queue with a token per producer, credit for
/// the bound and an announcement that costs a sleeping consumer's producer nothing. FIFO per producer.
///
/// `Slot` is trivially copyable; what it refers to is the user's to release (drain it before destruction).
template <class Slot>
class inbox : public inbox_base {
 public:
  using queue_type = moodycamel::ConcurrentQueue<Slot, inbox_traits>;

  inbox(std::int64_t capacity, overflow_rule overflow) : inbox_base(capacity, overflow), queue_(0), consumer_(queue_) {}

  /// Consumer: moves up to `max` messages to `out`. Returns: how many.
  std::size_t pop(Slot* out, std::size_t max) {
    const std::size_t count = dequeue(out, max);
    // What was taken cannot be thrown out any more: it must not keep newer messages out.
    if (count != 0 && overflow().kind == overflow_kind::drop_oldest)
      credit().give_back(static_cast<std::int64_t>(count));
    return count;
  }

  [[nodiscard]] queue_type& queue() noexcept { return queue_; }

 private:
  std::size_t dequeue(Slot* out, std::size_t max) {
    const base::tsan_unseen copying;
    return queue_.try_dequeue_bulk(consumer_, out, max);
  }

  queue_type queue_;
  moodycamel::ConsumerToken consumer_;
};

/// One producer's side of one inbox. Thread: confined to who is inside the owner's gate.
template <class Slot>
class sender : public sender_state {
 public:
  sender(gate& by, std::shared_ptr<inbox<Slot>> to) : inbox_(std::move(to)), token_(inbox_->queue()) {
    owner = &by;
    refuses = refuses_when_full(inbox_->overflow().kind);
    inbox_->join(*this);
  }
  ~sender() { inbox_->part(*this); }
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  [[nodiscard]] inbox<Slot>& to() noexcept { return *inbox_; }
  [[nodiscard]] const std::shared_ptr<inbox<Slot>>& shared() const noexcept { return inbox_; }
  /// True if one message has room, fetching a chunk of credit where needed.
  [[nodiscard]] bool has_room() noexcept { return credit > 0 || inbox_->refill(*this); }
  /// Appends one message. Precondition: has_room(). Call announce() of the inbox afterwards.
  void push(const Slot& slot) noexcept {
    --credit;
    count_pushed();
    const bool stored = inbox_->queue().enqueue(token_, slot);
    AMPHIBUS_ASSERT(stored, "out of memory for an inbox block");
  }
  /// Takes back this producer's oldest message, and with it a place. Returns: false if none of its waits in the queue.
  [[nodiscard]] bool take_back_oldest(Slot& into) noexcept {
    const base::tsan_unseen copying;
    if (!inbox_->queue().try_dequeue_from_producer(token_, into)) return false;
    ++credit;
    inbox_->count_replaced();
    return true;
  }
  /// A message that is kept elsewhere than in the queue counts as pushed too.
  void count_pushed() noexcept { pushed.store(pushed.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  /// Returns unused credit, so that nobody waits for what we do not use.
  void return_credit() noexcept {
    if (credit > 0) inbox_->credit().give_back(std::exchange(credit, 0));
  }

 private:
  std::shared_ptr<inbox<Slot>> inbox_;
  moodycamel::ProducerToken token_;
};

}  // namespace amphibus::queue
