#pragma once

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <amphibus/base/least.hpp>
#include <amphibus/detail/egress_inbox.hpp>
#include <amphibus/detail/mailbox.hpp>
#include <amphibus/detail/topic_core.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// The mailboxes of a table whose subscriptions are of some kinds, one after the other. Out of line, because a loop
/// over the table would instantiate its iterators in every includer. Lifetime: that of the table and the list of kinds.
class mailboxes_of {
 public:
  mailboxes_of(const receiver_table& table, std::initializer_list<delivery_kind> kinds) noexcept
      : table_(table), kinds_(kinds) {}
  /// Returns: the next one; null after the last.
  [[nodiscard]] const std::shared_ptr<subscriber_base>* next() noexcept;

 private:
  const receiver_table& table_;
  const std::initializer_list<delivery_kind> kinds_;
  std::size_t at_ = 0;
};

template <class Slot>
class leaving_reader_of final : public leaving_reader {
 public:
  using reader = queue::multicast_reader<Slot>;
  leaving_reader_of(topic_core& of, std::shared_ptr<reader> from) noexcept
      : leaving_reader(of), reader_(std::move(from)) {}

  [[nodiscard]] run next(std::size_t max) noexcept override {
    if (!reader_->look()) return {};
    const queue::slot_run<Slot> found = reader_->next(max);
    if (!found) return {};
    const auto* const values = reinterpret_cast<const std::byte*>(found.payloads());
    return {values, sizeof(typename Slot::payload_type), found.identities(), found.identity(0), found.count};
  }
  void advance(std::size_t count) noexcept override { reader_->advance(count); }
  [[nodiscard]] bool is_over() const noexcept override { return reader_->is_over(); }
  [[nodiscard]] queue::multicast_base& source() noexcept override { return reader_->source(); }

 private:
  const std::shared_ptr<reader> reader_;
};

/// Which inboxes a multicast may serve, of those that take everything: it counts messages, so all have to be of one
/// place; and one that throws out the oldest may be passed by where the memory of the bus is full, so what it takes
/// from there must need none.
enum class sharing : std::uint8_t { none, who_refuses, who_throws_out_too };

/// One outlet's ways into the inboxes of one kind of slot: together through a multicast to those that take everything
/// and refuse what has no room or throw out the oldest; each on its own to the others.
///
/// Thread: inside the outlet's gate; adopt() and the end in the owner's stead, while nobody is inside.
template <class Slot>
class sender_list {
 public:
  sender_list() = default;
  ~sender_list() { clear(); }
  sender_list(const sender_list&) = delete;
  sender_list& operator=(const sender_list&) = delete;

  /// Keeps the senders to who is still in the table and makes those that are missing.
  void adopt(queue::gate& owner, const receiver_table& table, std::initializer_list<delivery_kind> kinds,
             bool many_sources, sharing multicast) {
    std::vector<std::unique_ptr<queue::sender<Slot>>> apart;
    std::vector<std::unique_ptr<queue::multicast_sender<Slot>>> together;
    apart.reserve(table.subscribers.size());
    together.reserve(table.subscribers.size() + 1);
    mailboxes_of missing(table, kinds);
    while (const auto* const who = missing.next()) {
      const std::shared_ptr<mailbox<Slot>> box = std::static_pointer_cast<mailbox<Slot>>(*who);
      if (find(together_, *box) != together_.end() || find(apart_, *box) != apart_.end()) continue;
      if (!box->filters() && may_share(multicast, *box)) {
        together.push_back(std::make_unique<queue::multicast_sender<Slot>>(owner, box, shared_multicast()));
        continue;
      }
      apart.push_back(std::make_unique<queue::sender<Slot>>(owner, box));
      apart.back()->many_sources = many_sources;
      apart.back()->filtered = box->filters();
    }
    // From here on nothing throws: those that are there stay, or leave.
    mailboxes_of wanted(table, kinds);
    while (const auto* const who = wanted.next()) {
      const mailbox<Slot>& box = static_cast<const mailbox<Slot>&>(**who);
      move_to(together, together_, find(together_, box));
      move_to(apart, apart_, find(apart_, box));
    }
    if (leaving_ != nullptr) move_to(together, together_, find(together_, leaving_->to()));
    together_ = std::move(together);
    apart_ = std::move(apart);
    note_together();
  }
  /// The same for the way out of the process, null: there is none. Returns: true if it is reached together with the
  /// others.
  bool adopt_egress(queue::gate& owner, topic_core& of, const std::shared_ptr<egress_inbox>& egress) {
    if (leaving_ != nullptr && &leaving_->to() == egress.get()) return true;
    crowded_ = nullptr;
    if (leaving_ != nullptr) std::erase_if(together_, [this](const auto& each) { return each.get() == leaving_; });
    leaving_ = nullptr;
    if (!egress || !queue::refuses_when_full(egress->overflow().kind)) return false;
    if (!left_before_ && !egress->takes_reader()) return false;
    left_before_ = true;
    together_.reserve(together_.size() + 1);
    auto joined = std::make_unique<queue::multicast_sender<Slot>>(owner, egress, shared_multicast(), [&](auto reader) {
      egress->add_leaving(std::make_unique<leaving_reader_of<Slot>>(of, std::move(reader)));
    });
    leaving_ = joined.get();
    together_.push_back(std::move(joined));
    return true;
  }
  void clear() noexcept {
    apart_.clear();
    together_.clear();
    crowded_ = nullptr;
    leaving_ = nullptr;
    if (multicast_) multicast_->end();  // who counts what was published still asks it
  }

  [[nodiscard]] bool empty() const noexcept { return apart_.empty() && together_.empty(); }
  [[nodiscard]] const std::vector<std::unique_ptr<queue::sender<Slot>>>& apart() const noexcept { return apart_; }
  [[nodiscard]] std::uint32_t together() const noexcept { return static_cast<std::uint32_t>(together_.size()); }
  /// Null while nobody needs it.
  [[nodiscard]] const std::shared_ptr<queue::multicast<Slot>>& multicast() const noexcept { return multicast_; }

  /// Makes sure that everybody who is reached together has room for a message. Returns: who has none; null if all have.
  [[nodiscard]] queue::inbox_base* full_together() noexcept {
    return together_.empty() || multicast_->has_room() ? nullptr : find_room();
  }
  /// To everybody who is reached together. Takes over its references, one for each of them. After full_together().
  void push_together(const Slot& message) noexcept {
    if (!multicast_->push_if_room([&] { return message; })) [[unlikely]]
      push_into_crowd(message);
    announce_together();
  }
  /// As many messages as multicast::push_run() makes, at most `max`. Returns: how many; fewer than `max` also where the
  /// next one needs full_together() again. Call announce_together() after the last. After full_together().
  template <class Make>
  [[gnu::always_inline]] std::size_t push_run_together(std::size_t max, const Make& make) noexcept {
    if (multicast_->has_room()) [[likely]]
      return multicast_->push_run(base::least(max, multicast_->room_together()), make);
    Slot message;
    if (!make(0, message)) return 0;
    push_into_crowd(message);
    return 1;
  }
  void announce_together() noexcept {
    base::light_barrier();
    if (multicast_->may_have_sleepers()) [[unlikely]]
      wake_together();
  }
  /// Whoever of them sleeps. After the push and a light barrier.
  [[gnu::noinline]] void wake_together() noexcept {
    if (!multicast_->take_sleepers()) return;
    for (auto& each : together_) each->to().announce();
  }

  void return_credit() noexcept {
    for (auto& each : apart_) each->return_credit();
    for (auto& each : together_) each->return_credit();
  }
  [[nodiscard]] queue::overflow_rule strictest(queue::overflow_rule out) const noexcept {
    for (const auto& each : apart_) out = queue::stricter(out, each->to().overflow());
    for (const auto& each : together_) out = queue::stricter(out, each->to().overflow());
    return out;
  }
  [[nodiscard]] bool filters() const noexcept {
    for (const auto& each : apart_) {
      if (each->filtered) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] static bool may_share(sharing multicast, const queue::inbox<Slot>& box) {
    const queue::overflow_kind kind = box.overflow().kind;
    const bool refuses = queue::refuses_when_full(kind) && multicast != sharing::none;
    const bool throws_out = kind == queue::overflow_kind::drop_oldest && multicast == sharing::who_throws_out_too;
    return (refuses || throws_out) && box.takes_reader();
  }
  [[nodiscard]] const std::shared_ptr<queue::multicast<Slot>>& shared_multicast() {
    if (!multicast_) multicast_ = std::make_shared<queue::multicast<Slot>>();
    return multicast_;
  }
  /// What depends on who is reached together.
  void note_together() noexcept {
    crowded_ = nullptr;
    if (multicast_) multicast_->note_only_reader(together_.size() == 1 ? together_.front()->reader() : nullptr);
  }
  template <class Senders>
  static auto find(Senders& in, const queue::inbox_base& box) noexcept {
    auto at = in.begin();
    while (at != in.end() && !(*at && &(*at)->to() == &box)) ++at;
    return at;
  }
  template <class Senders>
  static void move_to(Senders& to, Senders& from, typename Senders::iterator which) noexcept {
    if (which != from.end()) to.push_back(std::move(*which));
  }
  [[gnu::noinline]] queue::inbox_base* find_room() noexcept {
    if (!only_one_is_crowded()) return find_room_of_all();
    set_room_beside(crowded_->find_room());
    return nullptr;
  }
  queue::inbox_base* find_room_of_all() noexcept {
    std::int64_t room = std::numeric_limits<std::int64_t>::max();
    std::size_t full = 0;
    queue::multicast_sender<Slot>* last_full = nullptr;
    multicast_->take_room();
    for (auto& each : together_) {
      const std::int64_t own = each->find_room();
      if (own == 0 && each->refuses) return &each->to();
      if (own != 0) {
        room = base::least(room, own);
      } else {
        ++full;
        last_full = each.get();
      }
    }
    crowded_ = full == 1 ? last_full : nullptr;
    others_have_room_to_ = multicast_->position() + static_cast<std::uint64_t>(room);
    // None where something has to be thrown out first.
    multicast_->set_room(full == 0 ? static_cast<std::uint64_t>(room) : 0);
    return nullptr;
  }
  /// One that stands still is full again and again, which is no reason to ask all others.
  [[nodiscard]] bool only_one_is_crowded() const noexcept {
    return crowded_ != nullptr && !multicast_->room_was_taken() && multicast_->position() < others_have_room_to_;
  }
  void set_room_beside(std::int64_t of_crowded) noexcept {
    const std::uint64_t of_others = others_have_room_to_ - multicast_->position();
    multicast_->set_room(base::least(static_cast<std::uint64_t>(of_crowded), of_others));
  }
  /// Nobody refuses the message, and somebody has to throw out another for it.
  [[gnu::noinline]] void push_into_crowd(const Slot& message) noexcept {
    const bool some_borrow = throw_out();
    multicast_->push_in_any_case(message);
    if (some_borrow) [[unlikely]]
      pass_by();
    announce_together();  // also within a long run: who sleeps loses messages meanwhile
  }
  /// Returns: true if somebody was lent the place.
  [[nodiscard]] bool throw_out() noexcept {
    if (only_one_is_crowded()) {
      if (crowded_->credit == 0) mailbox_of(*crowded_).make_room(*crowded_);
      set_room_beside(crowded_->credit);
      return crowded_->has_lent();
    }
    bool some_borrow = false;
    std::int64_t room = std::numeric_limits<std::int64_t>::max();
    for (auto& each : together_) {
      if (each->find_room() == 0) mailbox_of(*each).make_room(*each);
      room = base::least(room, each->credit);
      some_borrow = some_borrow || each->has_lent();
    }
    multicast_->set_room(static_cast<std::uint64_t>(room));
    return some_borrow;
  }
  /// The message was pushed, and is not for those that are full of others' messages.
  void pass_by() noexcept {
    for (auto& each : together_) {
      if (each->has_lent()) mailbox_of(*each).take_lent(*each);
    }
  }
  [[nodiscard]] static mailbox<Slot>& mailbox_of(queue::multicast_sender<Slot>& by) noexcept {
    return static_cast<mailbox<Slot>&>(by.to());
  }

  std::shared_ptr<queue::multicast<Slot>> multicast_;
  std::vector<std::unique_ptr<queue::multicast_sender<Slot>>> together_;
  queue::multicast_sender<Slot>* crowded_ = nullptr;  // the only one that had no room at the last look at all
  std::uint64_t others_have_room_to_ = 0;             // position of the multicast
  queue::multicast_sender<Slot>* leaving_ = nullptr;  // the one of them that is a route's
  bool left_before_ = false;                          // then it never takes another way, which might be shorter
  std::vector<std::unique_ptr<queue::sender<Slot>>> apart_;
};

/// Where nothing may be refused: room by the mailbox's overflow rule. Returns: false if the message passes it by.
template <class Slot>
[[gnu::noinline]] bool make_room(queue::sender<Slot>& full, identity_word message, std::int64_t places) noexcept {
  return static_cast<mailbox<Slot>&>(full.to()).make_room(full, message, places);
}

/// Whether the message is for that inbox; push finds the answer in `to.wanted`.
template <class Slot>
[[nodiscard]] bool is_wanted(queue::sender<Slot>& to, const void* message) noexcept {
  if (!to.filtered) [[likely]]
    return true;
  return to.wanted = static_cast<mailbox<Slot>&>(to.to()).wants_message(message);
}

template <class Slot>
void count_filtered(queue::sender<Slot>& by) noexcept {
  static_cast<mailbox<Slot>&>(by.to()).count_filtered();
}

/// Hands over a message after has_room() or make_room(); takes over its references.
template <class Slot>
void put(queue::sender<Slot>& to, const Slot& message, std::int64_t places) noexcept {
  if (to.credit >= places) [[likely]] {
    to.push(message, places);
  } else {
    static_cast<mailbox<Slot>&>(to.to()).keep_latest(to, message);
  }
  to.to().announce();
}

}  // namespace amphibus::detail
#pragma GCC visibility pop
