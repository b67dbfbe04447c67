#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <amphibus/base/time.hpp>
#include <amphibus/detail/message.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class bus_core;
class mailbox_base;
class outlet_base;
struct type_operations;

/// The identity that a lane, a thread or a publisher handle publishes under.
class source_state {
 public:
  /// 0: assigned by the bus at the first publish.
  [[nodiscard]] std::uint64_t index() const noexcept { return index_; }
  /// Before anything is taken.
  void set_index(std::uint64_t index) noexcept;

  /// True if the identity of the next message is packed, should it need no more than its number. False while an outlet
  /// is in step, so that who takes no look at that goes the long way.
  [[nodiscard, gnu::always_inline]] bool is_packed() const noexcept { return next_ < packed_end; }
  /// How many next messages in a row may be packed.
  [[nodiscard]] std::uint64_t packed_left() const noexcept { return identity_word::sequence_max - next_.sequence(); }
  /// Of the next message. Precondition: is_packed(), and it has an index.
  [[nodiscard, gnu::always_inline]] identity_word take_packed() noexcept {
    return std::exchange(next_, next_.packed_after(1));
  }
  /// Of the next message, for several: see skip_packed(). Precondition as for take_packed().
  [[nodiscard]] identity_word next_packed() const noexcept { return next_; }
  /// Precondition: packed_left() is not less.
  void skip_packed(std::size_t count) noexcept { next_ = next_.packed_after(count); }

  /// The outlet that pushes or calls at once, whose numbers are positions of its multicast or its calls meanwhile;
  /// null: none. It leaves_step() before anything is taken here.
  [[nodiscard]] outlet_base* in_step() const noexcept { return in_step_; }
  void enter_step(outlet_base& who) noexcept {
    in_step_ = &who;
    next_ = packed_end;  // so that nobody takes a number without a look
  }
  /// The next message is that one.
  void leave_step(identity_word next) noexcept {
    in_step_ = nullptr;
    next_ = next;
  }

  /// The sequence number of the next message.
  [[nodiscard]] std::uint64_t take_sequence() noexcept {
    return is_packed() ? take_packed().sequence() : next_unpacked_++;
  }

 private:
  static constexpr identity_word packed_end = identity_word::packed(0, identity_word::sequence_max);
  identity_word next_ = identity_word::packed(0, 1);  // `packed_end` where it cannot be packed, or is not known here
  std::uint64_t index_ = 0;
  std::uint64_t next_unpacked_ = identity_word::sequence_max;
  outlet_base* in_step_ = nullptr;
};

/// A source with several topics, a lane or a thread outside handlers, and its outlets. The name's address is the key:
/// topic names are literals.
struct alignas(64) source : source_state {
  struct entry {
    const char* name;
    const type_operations* type;
    std::shared_ptr<outlet_base> outlet;
  };
  std::vector<entry> outlets;

  source() = default;
  source(const source&) = delete;
  source& operator=(const source&) = delete;
  /// What dies with an outlet may publish by another one.
  ~source();

  /// Null if there is none under that address of its name.
  [[nodiscard]] outlet_base* find(const char* name, const type_operations* type) const noexcept {
    const entry* each = outlets.data();
    for (const entry* const end = each + outlets.size(); each != end; ++each) {
      if (each->name == name && each->type == type) return each->outlet.get();
    }
    return nullptr;
  }
};

/// What handles one message after the other: the source that its handlers publish under, and what of that found no
/// room yet. While something is held back the lane is stalled and takes no further message.
///
/// A mailbox has one; one with `.concurrency` has a lane for every share of the keys. Thread: who runs the lane, unless
/// said otherwise. Lifetime: its mailbox's.
class lane {
 public:
  /// What one running message may hold back before publish answers would_block.
  static constexpr std::size_t held_max = 1024;

  explicit lane(mailbox_base& of) noexcept;
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;
  ~lane();

  /// Whose messages it handles; its executor is told when the lane need not stall any longer.
  [[nodiscard]] mailbox_base& box() noexcept { return box_; }
  [[nodiscard]] bus_core& core() noexcept;
  /// Made at its first use: most handlers publish nothing.
  [[nodiscard]] source& own_source() {
    if (!source_) make_source();
    return *source_;
  }
  /// Its ways to topics, which it lets go of.
  [[nodiscard]] std::vector<source::entry> take_outlets() noexcept;
  /// Keeps the mailbox alive.
  [[nodiscard]] std::shared_ptr<lane> share();

  /// Thread: any.
  [[nodiscard]] bool stalled() const noexcept { return held_now() != 0; }
  /// Its mailbox ended: no further message.
  void end() noexcept { stop_.fetch_or(ended, std::memory_order_relaxed); }
  /// Not 0: no further message for now, because it is stalled, or ever.
  [[nodiscard]] const std::atomic<std::size_t>& stop() const noexcept { return stop_; }
  [[nodiscard]] base::time_point stall_deadline() const;
  /// Handler's publish: the outlet keeps a message for the one that runs. Returns: false at held_max.
  [[nodiscard]] bool add_held(const std::shared_ptr<outlet_base>& at);
  /// The outlet placed or gave up `count` messages that it held for this lane. Thread: who has the outlet's lock.
  void release_held(std::size_t count) noexcept { stop_.fetch_sub(count, std::memory_order_relaxed); }
  /// Tries to place what handlers held back. Returns: true if nothing is held any more.
  bool settle();

 private:
  static constexpr std::size_t ended = ~(~std::size_t{0} >> 1U);
  void make_source();
  [[nodiscard]] std::size_t held_now() const noexcept { return stop_.load(std::memory_order_relaxed) & ~ended; }

  mailbox_base& box_;
  std::shared_ptr<detail::source> source_;  // owned alone
  std::vector<std::shared_ptr<outlet_base>> held_at_;
  std::atomic<std::size_t> stop_{0};  // how many are held, and `ended`: who handles looks at one word
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
