#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include <amphibus/detail/message.hpp>
#include <amphibus/queue/inbox.hpp>
#include <amphibus/wire/codec.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class topic_core;

/// A route's reader of what one publisher publishes to one topic, whatever the message's type is. Thread: the I/O
/// thread's.
class leaving_reader {
 public:
  /// Messages that lie one after the other, as in a queue::slot_run.
  struct run {
    const std::byte* first_value = nullptr;
    std::size_t stride = 0;
    const identity_word* identities = nullptr;  ///< null: they follow from `first`
    identity_word first;
    std::size_t count = 0;
    explicit operator bool() const noexcept { return count != 0; }
    [[nodiscard]] bool in_sequence() const noexcept { return identities == nullptr; }
    [[nodiscard]] identity_word identity(std::size_t which) const noexcept {
      return in_sequence() ? first.packed_after(which) : identities[which];
    }
    [[nodiscard]] wire::value_run values(std::size_t from, std::size_t some) const noexcept {
      return {first_value + from * stride, stride, some};
    }
  };

  explicit leaving_reader(topic_core& of) noexcept : topic(of) {}
  virtual ~leaving_reader() = default;
  /// The next messages, at most `max`, which stay where they are until advance().
  [[nodiscard]] virtual run next(std::size_t max) noexcept = 0;
  virtual void advance(std::size_t count) noexcept = 0;
  [[nodiscard]] virtual bool is_over() const noexcept = 0;
  [[nodiscard]] virtual queue::multicast_base& source() noexcept = 0;

  topic_core& topic;
};

/// The messages that leave the process by one route: those that are read where their publishers write them, and others
/// of any type in its queue.
class egress_inbox : public queue::inbox<any_slot> {
 public:
  using inbox::inbox;
  /// Publisher's. `who`: of a multicast that takes_reader() allowed.
  virtual void add_leaving(std::unique_ptr<leaving_reader> who) = 0;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
