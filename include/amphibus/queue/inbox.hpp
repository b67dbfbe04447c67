#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <amphibus/base/assert.hpp>
#include <amphibus/base/atomic.hpp>
#include <amphibus/base/barrier.hpp>
#include <amphibus/base/ids.hpp>
#include <amphibus/base/least.hpp>
#include <amphibus/base/parker.hpp>
#include <amphibus/base/small_mutex.hpp>
#include <amphibus/queue/bound.hpp>
#include <amphibus/queue/gate.hpp>
#include <amphibus/queue/multicast.hpp>
#include <amphibus/queue/slot_queue.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

class inbox_base;

/// Messages, and the places that they take together.
struct load {
  std::uint64_t messages = 0;
  std::int64_t places = 0;
  /// `count` messages of one place each.
  [[nodiscard]] static load of_small(std::uint64_t count) noexcept { return {count, static_cast<std::int64_t>(count)}; }
  void add(std::int64_t places_of_one) noexcept {
    ++messages;
    places += places_of_one;
  }
  void add(const load& more) noexcept {
    messages += more.messages;
    places += more.places;
  }
};

/// One producer's side of one inbox, the part without the slot type.
///
/// `credit` belongs to whoever is inside `owner`; `pushed` is written there and read by anyone.
struct sender_state {
  gate* owner = nullptr;
  std::int64_t credit = 0;  ///< places taken from the inbox and not yet used
  base::atomic<std::uint64_t> pushed{
      0};                             ///< written before the push is visible, so never behind inbox_base::finished()
  bool refuses = true;                ///< the inbox's overflow kind, beside what every publish reads
  std::uint64_t lost_since_push = 0;  ///< dropped here and not told: lost_before of the next message of its source
  bool many_sources = false;          ///< a transport's input speaks for many
  bool filtered = false;              ///< the inbox does not take every message
  bool wanted = true;                 ///< with `filtered`: whether it takes the one at hand
  multicast_base* through = nullptr;  ///< what it sends goes there instead of the queue, and is counted there
  std::uint64_t joined_at = 0;        ///< with `through`: how much had been written there before
  std::uint64_t charged_to = 0;       ///< with `through`: up to where `credit` is reduced by what was written

  /// Anyone who keeps it from leaving.
  [[nodiscard]] std::uint64_t pushed_so_far() const noexcept {
    return pushed.load(std::memory_order_relaxed) + (through == nullptr ? 0 : through->written() - joined_at);
  }
  /// Inside `owner`: makes `credit` true.
  void charge_written() noexcept {
    if (through != nullptr) credit -= static_cast<std::int64_t>(through->position() - charged_to);
    if (through != nullptr) charged_to = through->position();
  }
  /// Inside `owner`. Returns: what was taken from the inbox and not used; it is no longer the sender's.
  [[nodiscard]] std::int64_t take_credit() noexcept {
    charge_written();
    if (through != nullptr) through->take_room();
    return std::exchange(credit, 0);
  }

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
/// Bound: `capacity` places of messages accepted and not finished, the ones in the handler's hand included; with
/// drop_oldest those that wait. A message takes one place for every started `bytes_per_place`, so that one account
/// bounds messages and bytes, and never more than half of the places, so that the largest gets in. Thread: safe, each
/// method says for whom. Lifetime: shared by its producers; outlives its consumer.
class inbox_base : public bound {
 public:
  static constexpr std::int64_t any_size = std::numeric_limits<std::int64_t>::max();

  /// One that keeps the latest has no places of its own: nothing is ever pushed into it.
  inbox_base(std::int64_t capacity, overflow_rule overflow, std::int64_t bytes_per_place = any_size);
  virtual ~inbox_base();

  [[nodiscard]] const overflow_rule& overflow() const noexcept { return overflow_; }
  /// What a message of `bytes` takes.
  [[nodiscard]] std::int64_t places_for(std::size_t bytes) const noexcept {
    if (bytes <= static_cast<std::uint64_t>(bytes_per_place_)) [[likely]]
      return 1;
    const std::uint64_t started = (bytes - 1) / static_cast<std::uint64_t>(bytes_per_place_) + 1;
    return base::least(static_cast<std::int64_t>(started), base::most<std::int64_t>(1, credit().capacity() / 2));
  }

  /// Producer, after its pushes: makes sure that the consumer looks again before it sleeps. Costs a load when awake.
  void announce() noexcept {
    base::light_barrier();
    if (!active_.load(std::memory_order_relaxed)) [[unlikely]]
      activate();
  }
  /// Fetches more credit for `who` in a chunk that idle producers cannot hoard. Returns: true if it has `needed` now.
  /// Precondition: it has less.
  bool refill(sender_state& who, std::int64_t needed) noexcept;
  bool reclaim_idle_credit() override;
  void join(sender_state& who);
  /// Returns the credit of `who` and keeps its count.
  void part(sender_state& who);

  /// Consumer: `what` is handled, in the sense of the bound.
  void finish(const load& what) noexcept {
    if (what.messages == 0) return;
    // The places first: when drain() is over there is room.
    const bool counted_until_now =
        overflow().kind != overflow_kind::latest && overflow().kind != overflow_kind::drop_oldest;
    if (counted_until_now) credit().give_back(what.places);
    // SYNC(inbox.finished): releases what the handler published; pairs with finished().
    if (many_finishers_) {
      finished_.fetch_add(what.messages, std::memory_order_release);
    } else {
      finished_.store(finished_.load(std::memory_order_relaxed) + what.messages, std::memory_order_release);
    }
  }
  /// A message that takes so many places and reaches the consumer on another way counts as pushed too.
  void count_unqueued(std::int64_t places) noexcept;
  /// Producer: so many messages that were pushed will never reach the consumer; their places pass to who replaced them.
  /// With drop_oldest that is what was thrown out.
  void count_replaced(std::uint64_t count = 1) noexcept { replaced_.fetch_add(count, std::memory_order_release); }
  /// True if the consumer promises to look before it sleeps: nobody needs to wake it.
  [[nodiscard]] bool promises() const noexcept { return active_.load(std::memory_order_relaxed); }
  /// Consumer: stop promising to look. Follow with one heavy_barrier() for any number of inboxes, then either rest() or
  /// reactivate().
  void deactivate() noexcept;
  /// Consumer, after deactivate() and the barrier, if no message came: producers that wait look once more. They may not
  /// have seen what was finished last, and so not that another holds the place that it gave back.
  void rest() noexcept { credit().notify_if_waiting(); }
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

  /// Who writes here: made with the first, because most inboxes of a large program never see one.
  struct producers {
    std::vector<sender_state*> senders;
    std::vector<multicast_base*> multicasts;  ///< whose reader the consumer is
  };
  // Under senders_mutex_:
  [[nodiscard]] producers& known_producers() {
    if (!producers_) producers_ = std::make_shared<producers>();
    return *producers_;
  }
  [[nodiscard]] std::size_t multicast_count() const noexcept { return producers_ ? producers_->multicasts.size() : 0; }
  /// `add()` hands the consumer its reader. Throws: what that does, std::bad_alloc; nothing happened then.
  template <class Add>
  void add_multicast(multicast_base& which, const Add& add) {
    auto& all = known_producers().multicasts;
    all.reserve(all.size() + 1);
    add();
    all.push_back(&which);
  }

  mutable base::small_mutex senders_mutex_;

 private:
  void activate() noexcept {
    if (!active_.exchange(true, std::memory_order_acq_rel)) activated();
  }
  [[nodiscard]] std::int64_t chunk() const noexcept;
  [[nodiscard]] std::uint64_t pushed_locked() const noexcept;

  // On no lines of their own, which would double what an idle subscription takes: each is written once for many
  // messages.
  base::atomic<std::int32_t> sender_count_{0};
  const overflow_rule overflow_;
  const std::int64_t bytes_per_place_;
  base::atomic<std::uint64_t> finished_{0};
  base::atomic<std::uint64_t> replaced_{0};
  std::uint64_t pushed_by_parted_ = 0;    // senders_mutex_, as what follows
  std::shared_ptr<producers> producers_;  // owned alone
  // Last, so that what is small in the derived class lies beside it.
  base::atomic<bool> active_{false};
  bool many_finishers_ = false;
};

/// The readers of one inbox, of whatever kind: publishers add, the consumer takes over what is new and drops what is
/// over. `Pointer` owns a reader that has is_over() and source(). Thread: add() under the inbox's lock, the rest by the
/// consumer.
template <class Pointer>
class reader_list {
 public:
  void add(Pointer who) {
    new_.push_back(std::move(who));
    has_new_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool has_new() const noexcept { return has_new_.load(std::memory_order_acquire); }
  /// Under the inbox's lock: what is new belongs to the others, but for those who have to wait until `may_join`.
  template <class MayJoin>
  void take_new(const MayJoin& may_join) {
    std::vector<Pointer> waiting;
    waiting.reserve(new_.size());
    current_.reserve(current_.size() + new_.size());
    for (Pointer& each : new_) (may_join(*each) ? current_ : waiting).push_back(std::move(each));
    new_ = std::move(waiting);
    has_new_.store(!new_.empty(), std::memory_order_relaxed);
  }
  [[nodiscard]] const std::vector<Pointer>& current() const noexcept { return current_; }
  /// Calls `use(reader&)` with one after the other, beginning with another one every time, until it returns false.
  /// With `same_turn` it begins with the same one as last time. Returns: true if some of them are over.
  template <class Use>
  [[nodiscard]] bool for_each(const Use& use, bool same_turn = false) {
    const std::size_t count = current_.size();
    if (count == 0) return false;
    if (!same_turn) ++first_;
    if (first_ >= count) first_ = 0;
    bool some_over = false;
    for (std::size_t i = 0; i != count; ++i) {
      auto& each = *current_[first_ + i < count ? first_ + i : first_ + i - count];
      const bool goes_on = use(each);
      some_over = some_over || each.is_over();
      if (!goes_on) break;
    }
    return some_over;
  }
  /// Under the inbox's lock. `multicasts`: those of all readers.
  void drop_over(std::vector<multicast_base*>& multicasts) {
    std::erase_if(current_, [&](const Pointer& each) {
      if (!each->is_over()) return false;
      auto at = multicasts.begin();  // one of them: a source that left may have joined again
      while (*at != &each->source()) ++at;
      multicasts.erase(at);
      return true;
    });
  }

 private:
  base::atomic<bool> has_new_{false};
  std::vector<Pointer> new_;
  std::vector<Pointer> current_;
  std::size_t first_ = 0;
};

/// A bounded multi-producer single-consumer queue of `Slot`, with credit for the bound and an announcement that costs a
/// sleeping consumer's producer nothing. FIFO per producer.
///
/// Messages come in two ways. The first sixteen producers each write into a multicast, where one message serves all of
/// their receivers, as long as every message takes one place and the inbox takes everything and may refuse, or, for
/// messages by value, throws out the oldest; all others use moodycamel's queue with a token per producer. A producer
/// keeps the way that it began with.
///
/// `Slot` is trivially copyable; what it refers to is the user's to release (drain it before destruction). One whose
/// messages differ in size has `weighed_bytes()`.
template <class Slot>
class inbox : public inbox_base {
 public:
  using queue_type = slot_queue<sizeof(Slot)>;
  using reader = multicast_reader<Slot>;

  inbox(std::int64_t capacity, overflow_rule overflow, std::int64_t bytes_per_place = any_size)
      : inbox_base(capacity, overflow, bytes_per_place) {}
  ~inbox() override { delete readers_.load(std::memory_order_relaxed); }

  [[nodiscard]] std::int64_t places_of(const Slot& message) const noexcept {
    if constexpr (requires { message.weighed_bytes(); }) {
      return places_for(message.weighed_bytes());
    } else {
      return 1;
    }
  }

  /// Anyone: a producer more writes where the others of its receivers read. Returns: false if there are enough of them;
  /// it uses the queue then.
  [[nodiscard]] bool takes_reader() const {
    const std::lock_guard lock(senders_mutex_);
    return multicast_count() < readers_max;
  }
  void add_reader(std::shared_ptr<reader> who) {
    const std::lock_guard lock(senders_mutex_);
    if (readers_.load(std::memory_order_relaxed) == nullptr) readers_.store(new readers, std::memory_order_release);
    add_multicast(who->source(), [&] { readers_.load(std::memory_order_relaxed)->add(std::move(who)); });
  }
  /// For a producer that uses the queue from now on. Made at its first use.
  [[nodiscard]] queue_type& use_queue() {
    const std::lock_guard lock(senders_mutex_);
    if (!queue_) queue_ = std::make_shared<queue_type>();
    queue_used_.store(true, std::memory_order_release);
    return *queue_;
  }
  [[nodiscard]] bool uses_queue() const noexcept { return queue_used_.load(std::memory_order_acquire); }

  /// Consumer: moves up to `max` messages to `out`. Returns: how many.
  std::size_t pop(Slot* out, std::size_t max) {
    const bool queue_first = queue_has_turn();
    std::size_t count = queue_first ? pop_queue(out, max) : 0;
    if (count == max) return count;
    count += pop_readers(out + count, max - count, false);
    if (!queue_first && count != max) count += pop_queue(out + count, max - count);
    return count;
  }
  /// Consumer: the same, but of the multicasts only; `same_turn` as in for_each_reader().
  std::size_t pop_readers(Slot* out, std::size_t max, bool same_turn) {
    std::size_t count = 0;
    const auto take_of = [&](reader& from) {
      count += throws_out() ? take(from, out + count, max - count) : copy(from, out + count, max - count);
      return count != max;
    };
    for_each_reader(take_of, same_turn);
    return count;
  }
  /// Consumer: whether the queue comes before the multicasts, which it does every other time: neither may starve the
  /// other.
  [[nodiscard]] bool queue_has_turn() noexcept { return queue_had_turn_ = !queue_had_turn_; }
  /// Consumer: the same, but of the queue only.
  std::size_t pop_queue(Slot* out, std::size_t max) {
    if (!uses_queue()) return 0;
    const std::size_t count = queue_->pop(out, max);
    // What was taken cannot be thrown out any more: it must not keep newer messages out.
    if (count != 0 && throws_out()) {
      std::int64_t places = 0;
      for (std::size_t i = 0; i != count; ++i) places += places_of(out[i]);
      credit().give_back(places);
    }
    return count;
  }
  /// Consumer: calls `use(reader&)` with one after the other, beginning with another one every time, or with
  /// `same_turn` with that of last time, until it returns false. Lets go of those that are over.
  template <class Use>
  void for_each_reader(const Use& use, bool same_turn = false) {
    readers* const all = readers_.load(std::memory_order_acquire);
    if (all == nullptr) return;
    if (all->has_new()) [[unlikely]]
      take_new_readers(*all);
    if (all->for_each(use, same_turn)) [[unlikely]]
      drop_readers(*all);
  }

 private:
  using readers = reader_list<std::shared_ptr<reader>>;
  /// Who polls many places looks in vain more often than not; beyond this the queue is as good.
  static constexpr std::size_t readers_max = 16;

  [[nodiscard]] bool throws_out() const noexcept { return overflow().kind == overflow_kind::drop_oldest; }
  /// Consumer: up to `max` of one reader, whom nobody takes anything from.
  static std::size_t copy(reader& from, Slot* out, std::size_t max) noexcept {
    if (!from.look()) return 0;
    std::size_t count = 0;
    while (const slot_run<Slot> run = from.next(max - count)) {
      base::copy_some(run, run.count, out + count);
      from.advance(run.count);
      count += run.count;
    }
    return count;
  }
  /// Consumer: the same of one whose producer throws out. What was taken must not keep newer messages out.
  std::size_t take(reader& from, Slot* out, std::size_t max) noexcept {
    const auto give_back = [this](std::size_t count) { credit().give_back(static_cast<std::int64_t>(count)); };
    std::size_t count = 0;
    const auto copy_run = [&](const slot_run<Slot>& run) { base::copy_some(run, run.count, out + count); };
    while (count != max && !from.has_all()) {
      const std::size_t some = from.take(max - count, give_back, copy_run);
      if (some == 0) break;  // what is there comes after its end
      count += some;
    }
    return count;
  }
  [[gnu::noinline]] void take_new_readers(readers& of) {
    const std::lock_guard lock(senders_mutex_);
    of.take_new([](const reader&) { return true; });
  }
  [[gnu::noinline]] void drop_readers(readers& of) {
    const std::lock_guard lock(senders_mutex_);
    of.drop_over(known_producers().multicasts);
  }

  base::atomic<bool> queue_used_{false};
  bool queue_had_turn_ = false;
  base::atomic<readers*> readers_{nullptr};  // made with the first, under senders_mutex_; owned
  std::shared_ptr<queue_type> queue_;        // senders_mutex_ until queue_used_; owned alone
};

/// One producer's side of one inbox that it reaches through the queue. Thread: confined to who is inside the owner's
/// gate.
template <class Slot>
class sender : public sender_state {
 public:
  sender(gate& by, std::shared_ptr<inbox<Slot>> to) : inbox_(std::move(to)), queue_(inbox_->use_queue()) {
    owner = &by;
    refuses = refuses_when_full(inbox_->overflow().kind);
    inbox_->join(*this);
  }
  ~sender() { inbox_->part(*this); }
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  [[nodiscard]] inbox<Slot>& to() noexcept { return *inbox_; }
  /// True if a message of so many places has room, fetching a chunk of credit where needed.
  [[nodiscard]] bool has_room(std::int64_t places = 1) noexcept {
    return credit >= places || inbox_->refill(*this, places);
  }
  /// Appends one message. Precondition: has_room(places). Call announce() of the inbox afterwards.
  void push(const Slot& slot, std::int64_t places = 1) noexcept {
    credit -= places;
    count_pushed();
    queue_.push(&slot);
  }
  /// Takes back this producer's oldest messages, at most `max`, and with them their places. Returns: how many; none if
  /// none of its waits in the queue.
  [[nodiscard]] std::size_t take_back_oldest(Slot* into, std::size_t max) noexcept {
    const std::size_t count = queue_.take_back(into, max);
    for (std::size_t i = 0; i != count; ++i) credit += inbox_->places_of(into[i]);
    if (count != 0) inbox_->count_replaced(count);
    return count;
  }
  /// A message that is kept elsewhere than in the queue counts as pushed too.
  void count_pushed() noexcept { pushed.store(pushed.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  /// Returns unused credit, so that nobody waits for what we do not use.
  void return_credit() noexcept {
    if (credit > 0) inbox_->credit().give_back(std::exchange(credit, 0));
  }

 private:
  std::shared_ptr<inbox<Slot>> inbox_;
  typename inbox<Slot>::queue_type::producer queue_;
};

/// One producer's side of one inbox that it reaches through its multicast. Thread: inside the owner's gate; made and
/// destroyed in the owner's stead, while nobody is inside.
template <class Slot>
class multicast_sender : public sender_state {
 public:
  multicast_sender(gate& by, const std::shared_ptr<inbox<Slot>>& to, const std::shared_ptr<multicast<Slot>>& writes_to)
      : multicast_sender(by, to, writes_to, [&to](auto reader) { to->add_reader(std::move(reader)); }) {}
  /// To an inbox of another kind, whose consumer `add_reader(std::shared_ptr<multicast_reader<Slot>>)` gives the reader
  /// to.
  template <class Add>
  multicast_sender(gate& by, std::shared_ptr<inbox_base> to, const std::shared_ptr<multicast<Slot>>& writes_to,
                   const Add& add_reader)
      : inbox_(std::move(to)), multicast_(*writes_to), reader_(writes_to->join(writes_to)) {
    owner = &by;
    refuses = refuses_when_full(inbox_->overflow().kind);
    through = &multicast_;
    joined_at = charged_to = multicast_.position();
    try {
      add_reader(reader_);
      inbox_->join(*this);
    } catch (...) {
      multicast_.part(*reader_);  // the inbox lets go of it, if it has it already
      throw;
    }
  }
  ~multicast_sender() {
    multicast_.part(*reader_);
    inbox_->part(*this);
  }
  multicast_sender(const multicast_sender&) = delete;
  multicast_sender& operator=(const multicast_sender&) = delete;

  [[nodiscard]] inbox_base& to() noexcept { return *inbox_; }
  [[nodiscard]] const multicast_reader<Slot>* reader() const noexcept { return reader_.get(); }
  /// Returns: how many messages have room, after fetching a chunk of credit where there was none.
  [[nodiscard]] std::int64_t find_room() noexcept {
    charge_written();
    return credit > 0 || inbox_->refill(*this, 1) ? credit : 0;
  }
  /// Where nothing may be refused and nothing has room: takes this producer's oldest messages away from the consumer,
  /// at most `max`, calls `use(slot_run)` with them and has their places. Where none of its waits, it is lent a place.
  template <class Use>
  void make_room(std::size_t max, const Use& use) noexcept {
    // Where the consumer took them meanwhile, their places are free.
    lent_ = !take_away(max, use) && !inbox_->refill(*this, 1);
    if (!lent_) return;
    inbox_->credit().charge(1);
    ++credit;
  }
  [[nodiscard]] bool has_lent() const noexcept { return lent_; }
  /// After a push to the place that was lent: takes that message away, unless the consumer has it already.
  template <class Use>
  void take_lent(const Use& use) noexcept {
    lent_ = false;
    if (take_away(1, use)) return_credit();
  }
  /// Returns unused credit, so that nobody waits for what we do not use.
  void return_credit() noexcept {
    if (const std::int64_t unused = take_credit(); unused > 0) inbox_->credit().give_back(unused);
  }

 private:
  /// Returns: true if there was something.
  template <class Use>
  [[nodiscard]] bool take_away(std::size_t max, const Use& use) noexcept {
    // Counted first: who is told of the loss finds it counted.
    const auto count_and_use = [&](const slot_run<Slot>& run) {
      inbox_->count_replaced(run.count);
      use(run);
    };
    const std::size_t count = reader_->take(
        max, [](std::size_t) {}, count_and_use);
    credit += static_cast<std::int64_t>(count);
    return count != 0;
  }

  bool lent_ = false;
  std::shared_ptr<inbox_base> inbox_;
  multicast<Slot>& multicast_;  // the outlet's, and the reader's
  std::shared_ptr<multicast_reader<Slot>> reader_;
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
