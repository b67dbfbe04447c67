#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <amphibus/detail/mailbox.hpp>

#include "detail/claim_buffer.hpp"
#include "detail/slot_list.hpp"

namespace amphibus::detail {

class group_hand;
class group_member;
struct group_share;

/// What all members of a group ask for alike.
struct group_terms {
  std::string name;  ///< empty: a subscription with `.concurrency` alone, which is a group of one
  std::size_t concurrency = 1;
  std::size_t capacity = 0;
  std::size_t capacity_bytes = 0;
  queue::overflow_rule overflow = {};
  std::size_t history = 0;  ///< how many retained messages of each key come first
};

/// A share of the keys: its messages are handled one after the other, on one hand at a time.
struct key_lane {
  enum class state : std::uint8_t { empty, ready, running, stalled };

  explicit key_lane(slot_mailbox& of) noexcept : turn(of) {}
  /// When the first that waits arrived; a lane that only has something to place comes before all.
  [[nodiscard]] std::uint64_t oldest() const noexcept { return waiting.empty() ? 0 : waiting.first->arrival; }

  lane turn;
  slot_list waiting;
  state now = state::empty;
  group_share* home = nullptr;  ///< whose hands handle it
  queue::load held_back;        ///< handled, not finished: their publishes wait for room
  base::time_point deadline;    ///< of those, while stalled
};

/// One member's part of a group. Guarded by the group's lock.
struct group_share {
  std::vector<std::shared_ptr<group_hand>> hands;
  std::vector<key_lane*> ready;  ///< a heap: the one whose oldest message is the oldest first
  std::size_t lanes = 0;
  std::size_t stalled = 0;  ///< of those

  /// Lanes with much to do fall behind, and so come first: else the hottest key would be left to the end, alone.
  void push_ready(key_lane& which) noexcept;
  [[nodiscard]] key_lane* pop_ready() noexcept;
  void remove_ready(const key_lane& which) noexcept;
};

/// One inbox and many hands: who competes for the messages of a group, and how keys keep their order.
///
/// The members' inbox is an ordinary mailbox that nobody runs; to it, this is the executor. A hand that finds nothing
/// else *sorts*: it moves messages out of the inbox, those with a key to the lane of their key, the others to a common
/// list. A lane is run by one hand at a time; every lane has a home, the member whose hands run it, so that a key stays
/// with its member until members change. What has no key goes to whoever is ready: a hand takes a few, and another that
/// has nothing to do takes what the first has not begun.
///
/// Hands sleep and wake as mailboxes of their executors. While one rests the inbox does not promise that somebody
/// looks, so that a message wakes it even if all others are stuck in their handlers: whoever goes to rest, or into a
/// handler while others rest, makes it stop promising and looks once more behind the heavy barrier. Thread: safe.
/// Lifetime: the inbox owns it; members own the inbox.
class group_core final : public executor_core {
 public:
  explicit group_core(group_terms terms);
  ~group_core() override;

  [[nodiscard]] const group_terms& terms() const noexcept { return terms_; }
  /// The group of that inbox. Precondition: it has one.
  [[nodiscard]] static group_core& of(slot_mailbox& inbox) noexcept {
    return static_cast<group_core&>(inbox.executor());
  }
  /// Before anything else: whose inbox it is. Not owned.
  void adopt(slot_mailbox& inbox);
  [[nodiscard]] slot_mailbox& inbox() noexcept { return *inbox_; }
  [[nodiscard]] const slot_reader& reader() const noexcept { return *reader_; }

  /// The inbox got its first message since nobody looks: one hand gets up.
  void ready(std::shared_ptr<mailbox_base> inbox) override;
  /// What lanes hold back may have room again: every stalled one gets a turn.
  void poke() noexcept override;

  void add(const std::shared_ptr<group_member>& who);
  /// Its lanes find other homes. Returns: true if it was the last one: the group is closed, and the caller ends the
  /// inbox when no hand runs any more.
  [[nodiscard]] bool remove(group_member& who);
  /// Ends every member.
  void end_members();
  /// Counts and drops what waits here. After the last member left.
  void discard() noexcept;

  /// Hand: handles one turn of messages. Returns: how many.
  std::size_t run(group_hand& by) noexcept;
  /// Hand: true if it may sleep; whoever brings work wakes it, through its executor's poke() where that knows it as
  /// `stalled`.
  [[nodiscard]] bool rest(group_hand& who, bool stalled) noexcept;
  /// True if something of this hand's member is held back: the hand has to look again at stall_deadline().
  [[nodiscard]] bool has_stalled(group_hand& who) const noexcept;
  [[nodiscard]] base::time_point stall_deadline(const group_hand& who) const noexcept;
  /// True if this hand has to place what lanes of the closed group hold back.
  [[nodiscard]] bool holds_back(const group_hand& who) const noexcept;
  /// Hand, at its end: what it has not begun is for the others.
  void give_back(group_hand& who) noexcept;

 private:
  static constexpr std::size_t turn_max = 256;
  static constexpr std::size_t lane_turn_max = 64;
  static constexpr std::size_t lanes_min = 64;
  static constexpr std::size_t executors_max = 16;  // told apart when hands are woken
  static constexpr std::size_t lanes_per_hand = 8;

  /// What a hand works on: a lane, whose messages it has taken, or messages without a key in its buffer.
  struct turn {
    key_lane* lane = nullptr;
    bool free = false;
    bool others_rest = false;
    std::size_t taken = 0;
    std::size_t handled = 0;    // of those
    std::uint64_t arrival = 0;  // of the first of those
    base::time_point deadline;  // of what the lane holds back, where it stalls
    queue::load finished;       // not given back yet
    alignas(std::uint64_t) std::byte slots[lane_turn_max * slot_size_max];
  };

  /// What is stalled in its share gets another try. Returns: false if there is nothing for that hand any more.
  [[nodiscard]] bool begin_turn(group_hand& who) noexcept;
  void get_up_locked(group_hand& who) noexcept;
  /// Puts back what the turn was about and finds the next. One lock for both: lanes have few messages at a time.
  /// Returns: false if there is nothing.
  [[nodiscard]] bool next(group_hand& by, turn& of) noexcept;
  void pick_locked(group_hand& by, turn& of) noexcept;
  void take_locked(const group_hand& by, turn& of) noexcept;
  /// The hand is done with its lane; what was taken and not handled goes first again.
  void put_back_locked(group_hand& by, turn& of) noexcept;
  [[nodiscard]] bool has_work_locked(group_hand& who) const noexcept;
  [[nodiscard]] bool refill_locked(group_hand& by) noexcept;
  [[nodiscard]] group_hand* find_to_steal_locked(const group_hand& by) const noexcept;
  [[nodiscard]] bool steal_locked(group_hand& by) noexcept;
  /// The inbox stops promising that somebody looks, and then one more look behind the heavy barrier decides. Returns:
  /// true if there was something.
  bool look_behind() noexcept;
  /// Moves messages from the inbox to where they wait for a hand, and wakes as many hands as have something to do.
  /// `taker`: who looks for work next, and need not be woken for the first of it. Returns: false if there were none.
  bool sort(group_hand* taker) noexcept;
  void sort_in_locked(group_hand* taker, const std::byte* slots, const std::uint32_t* lane_of,
                      std::size_t count) noexcept;
  [[nodiscard]] std::uint32_t find_lane(const std::byte* slot) const noexcept;
  std::size_t run_lane(group_hand& by, turn& of) noexcept;
  std::size_t run_free(group_hand& by, turn& of) noexcept;
  [[nodiscard]] group_share& share_of(const group_hand& who) const noexcept;
  void wake_locked(const group_share& of, std::size_t count) noexcept;
  void wake_one_locked(group_hand& who) noexcept;
  /// Wakes so many, and one of every executor: that of the first may have others to run before. Where a hand has a
  /// thread of its own, it does for all of them.
  void wake_any_locked(std::size_t count) noexcept;
  /// Those whose own lane is `stalled`, or the others. Returns: how many.
  std::size_t wake_able_locked(std::size_t count, bool stalled) noexcept;
  /// True if nobody else sees to what is stalled in this hand's share.
  [[nodiscard]] bool needs_watching_locked(group_hand& who) const noexcept;
  /// What the hand has not begun is for everybody. Returns: how many.
  std::size_t take_back_locked(group_hand& who) noexcept;
  void move_locked(key_lane& which, group_share& to) noexcept;
  void balance_locked() noexcept;

  static constexpr std::uint32_t no_key = ~std::uint32_t{0};

  const group_terms terms_;
  slot_mailbox* inbox_ = nullptr;
  std::optional<slot_reader> reader_;

  mutable std::mutex mutex_;  // after the inbox's consumer_lock()
  std::vector<std::shared_ptr<group_member>> members_;
  std::vector<std::unique_ptr<key_lane>> lanes_;
  std::optional<slot_nodes> nodes_;
  slot_list free_;  // without a key
  std::uint64_t arrivals_ = 0;
  std::size_t hands_ = 0;
  std::size_t resting_ = 0;  // of those
  std::uint64_t pokes_ = 0;
  bool closed_ = false;
  mutable group_share orphans_;          // home of the lanes of a closed group
  std::weak_ptr<group_hand> caretaker_;  // of a closed group: places what its lanes hold back; its executor keeps it
};

/// One place at which messages of a group are handled: to its executor a mailbox, whose messages lie in the group.
class group_hand final : public mailbox_base, public queue::inbox_base {
 public:
  group_hand(std::shared_ptr<bus_core> core, std::shared_ptr<executor_core> on, const std::string& name,
             std::shared_ptr<slot_mailbox> inbox, std::shared_ptr<group_share> share,
             std::shared_ptr<message_handler> handler, bool own_thread);
  ~group_hand() override;

  /// Its executor runs nothing else.
  [[nodiscard]] bool has_own_thread() const noexcept { return own_thread_; }

  std::size_t run() noexcept override;
  [[nodiscard]] queue::inbox_base& bounds() noexcept override { return *this; }
  [[nodiscard]] bool has_work() noexcept override;
  [[nodiscard]] bool stalled() noexcept override;
  [[nodiscard]] base::time_point stall_deadline() const override;
  [[nodiscard]] bool holds_back() noexcept override;
  [[nodiscard]] delivery_kind kind() const noexcept override { return delivery_kind::in_publisher; }
  /// Nothing further begins.
  void refuse_more() noexcept { ended_.store(true, std::memory_order_seq_cst); }
  /// Ends without waiting for a handler that runs: it finishes the end when it returns.
  void end_behind() noexcept;
  [[nodiscard]] std::uint64_t handled() const noexcept { return handled_count(); }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failed(); }
  [[nodiscard]] std::uint64_t expiries() const noexcept { return expired(); }

 protected:
  void activated() noexcept override { executor().ready(shared_mailbox()); }
  void destroy_handler() noexcept override;
  void discard_queue() noexcept override;
  void leave_topics() override {}  // it is in none

 private:
  friend class group_core;

  void finish_end_once() noexcept;
  /// Handles what `next` hands out until there is no more, the lane stalls or this hand ends. `finished`: grows, and is
  /// given back now and then; `held_back`: what waits for room for what it published. Returns: how many.
  template <class Next>
  std::size_t handle(Next next, lane& whose, queue::load& finished, queue::load& held_back) noexcept;
  /// Drops what has expired and closes the gaps. Returns: how many are left.
  [[nodiscard]] std::size_t keep_fresh(claim_buffer::claimed of, queue::load& finished) noexcept;
  /// Finishes the messages that waited until what they published has room. Returns: false if it has none yet.
  [[nodiscard]] bool settle_own();

  // Its executor may still ask it something when its member is gone.
  const std::shared_ptr<slot_mailbox> inbox_;
  group_core& group_;  // the inbox's
  const std::shared_ptr<group_share> share_;
  const bool takes_batches_;
  const bool own_thread_;
  std::shared_ptr<message_handler> handler_;
  claim_buffer buffer_;
  std::atomic<bool> end_begun_{false};
  queue::load held_back_;  // of own_lane()
  // Under the group's lock:
  bool counts_ = false;  // its member is in the group
  bool rests_ = false;
  bool rests_stalled_ = false;  // its executor knows it as stalled
  bool free_next_ = false;      // lanes and free messages take turns
  std::uint64_t seen_pokes_ = 0;
};

/// One subscription to a group: a handler, and as many hands as it may run at once.
class group_member final : public subscriber_base {
 public:
  group_member(std::shared_ptr<bus_core> core, interest to, std::string name, std::shared_ptr<slot_mailbox> inbox);
  ~group_member() override;

  /// Before it joins.
  void add_hand(std::shared_ptr<executor_core> on, const std::shared_ptr<message_handler>& handler, bool own_thread,
                std::size_t priority);
  /// It never joined: hands and share let go of each other.
  void undo() noexcept { share_->hands.clear(); }
  void end() override;
  [[nodiscard]] subscription_counters counters() noexcept override;
  [[nodiscard]] delivery_kind kind() const noexcept override { return delivery_kind::in_publisher; }
  [[nodiscard]] group_core& group() noexcept { return group_; }

 private:
  friend class group_core;

  [[nodiscard]] bool handles_here() const noexcept;

  const std::shared_ptr<slot_mailbox> inbox_;
  group_core& group_;  // the inbox's
  const std::shared_ptr<group_share> share_ = std::make_shared<group_share>();
  std::vector<std::shared_ptr<group_hand>> hands_;
};

template <class Next>
std::size_t group_hand::handle(Next next, lane& whose, queue::load& finished, queue::load& held_back) noexcept {
  const slot_reader& read = group_.reader();
  queue::inbox_base& inbox = inbox_->bounds();
  const std::int64_t return_every = std::max<std::int64_t>(1, inbox.credit().capacity() / 16);
  frame here(core(), *this, &whose, nullptr);
  const context with(core(), here.topic, here.message);
  std::size_t done = 0;
  for (bool waits = false; !waits && !ended();) {
    claim_buffer::claimed current = next();
    if (current.count == 0) break;
    done += current.count;
    current.count = keep_fresh(current, finished);
    if (current.count == 0) continue;
    here.message = read.identity_of(current.slots);
    here.topic = read.topic_of(current.slots);
    try {
      handler_->invoke(current.slots, current.count, here, with);
    } catch (const std::exception& failure) {
      count_failed(failure.what());
    } catch (...) {
      count_failed("an exception that is not a std::exception");
    }
    queue::load handled;
    for (std::size_t i = 0; i != current.count; ++i) {
      const std::byte* const slot = current.slots + i * read.size();
      handled.add(inbox.places_for(read.weighed_bytes(slot)));
      read.drop_payload(slot);
    }
    for (std::size_t i = 0; i != current.count; ++i) read.identity_of(current.slots + i * read.size()).drop_reference();
    here.topic = nullptr;  // the messages are gone: they cause nothing any more
    count_handled(current.count);
    waits = whose.stalled() && !whose.settle();
    // Messages whose publishes wait for room are not finished: they keep their places, and drain() waits for them.
    (waits ? held_back : finished).add(handled);
    if (finished.places >= return_every) inbox.finish(std::exchange(finished, {}));
  }
  return done;
}

}  // namespace amphibus::detail
