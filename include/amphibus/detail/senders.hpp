#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

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

/// One outlet's ways into the inboxes of one kind of slot. Thread: inside the outlet's gate.
template <class Slot>
using sender_list = std::vector<std::unique_ptr<queue::sender<Slot>>>;

/// Keeps the senders to who is still in the table and makes those that are missing.
template <class Slot>
void adopt_senders(sender_list<Slot>& senders, queue::gate& owner, const receiver_table& table,
                   std::initializer_list<delivery_kind> kinds, bool many_sources) {
  sender_list<Slot> kept;
  mailboxes_of wanted(table, kinds);
  while (const auto* const who = wanted.next()) {
    std::shared_ptr<queue::inbox<Slot>> box = std::static_pointer_cast<mailbox<Slot>>(*who);
    auto found =
        std::find_if(senders.begin(), senders.end(), [&](auto& each) { return each && &each->to() == box.get(); });
    kept.push_back(found != senders.end() ? std::move(*found)
                                          : std::make_unique<queue::sender<Slot>>(owner, std::move(box)));
    kept.back()->many_sources = many_sources;
    kept.back()->filtered = static_cast<mailbox<Slot>&>(kept.back()->to()).filters();
  }
  senders = std::move(kept);
}

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
