#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <amphibus/detail/message.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class bus_core;

/// What an inbox with overflow drop_oldest or latest needs beside its queue: what was thrown out and not told yet, and
/// the places of the keys. Only those inboxes have one.
///
/// Thread: add() and put() from publishers; the rest from who runs the mailbox.
class loss_book {
 public:
  enum class put_result : std::uint8_t {
    added,     ///< the key had nothing that waited
    replaced,  ///< `old_slot` holds what waited before
    full,      ///< another key, and no place: nothing changed
  };

  /// `keys`: how many may wait at once with latest; 0: none, the messages lie in the queue.
  [[nodiscard]] static std::shared_ptr<loss_book> make(const bus_core& bus, std::size_t slot_size, std::size_t keys);
  loss_book() = default;
  loss_book(const loss_book&) = delete;
  loss_book& operator=(const loss_book&) = delete;
  virtual ~loss_book();

  [[nodiscard]] virtual bool keeps_latest() const noexcept = 0;
  /// `message`: its value, for the topic's key; `slot`: what is kept.
  virtual put_result put(const topic_core* topic, identity_word identity, const void* message, const void* slot,
                         void* old_slot) = 0;
  /// Takes up to `max` values, oldest key first, and how many each of them replaced. Returns: how many.
  virtual std::size_t take(void* values, std::uint64_t* replaced, std::size_t max) = 0;

  /// `count` messages of one source were thrown out, of which `last` is the last, and with them what it would have
  /// told.
  virtual void add_thrown_out(const topic_core* topic, identity_word last, std::uint64_t count) = 0;
  /// `message` gave way to one of its key: only what it would have told is new.
  virtual void add_replaced(const topic_core* topic, identity_word message) = 0;
  /// True if the next messages have losses to tell.
  [[nodiscard]] virtual bool any() const noexcept = 0;
  /// The message, telling what was thrown out before it and `lost` more.
  [[nodiscard]] virtual identity_word told(identity_word message, const topic_core* topic, std::uint64_t lost) = 0;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
