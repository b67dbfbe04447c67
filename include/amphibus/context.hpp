#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <amphibus/detail/frame.hpp>
#include <amphibus/wire/envelope.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// What a handler may ask about the message in its hand; costs nothing until asked.
///
/// ```cpp
/// auto sub = bus.subscribe(orders, [](const order_placed& o, const amphibus::context& with) {
///   if (with.lost_before() != 0) std::printf("messages are missing before order %d\n", o.id);
///   std::printf("conversation %s\n", to_string(with.correlation()).c_str());
/// });
/// ```
/// Messages that a handler publishes carry its correlation on and name the handled message as causation, without user
/// code and over the wire.
/// Thread: confined to the handler call. Lifetime: the handler call, or as message::with() says; what it returns as
/// string_view the same. Keep copies of the ids, not the context.
class context {
 public:
  /// Unique over all processes.
  [[nodiscard]] message_id id() const;
  /// The message that began the conversation; id() itself for a message that no handler published.
  [[nodiscard]] message_id correlation() const;
  /// The message whose handler published this one; false for a first message.
  [[nodiscard]] message_id causation() const;
  /// Who published it; order is kept per source and topic.
  [[nodiscard]] source_id source() const;
  /// How many messages of this stream were lost directly before this one: dropped by this subscription's overflow rule,
  /// or lost on the way from another process.
  [[nodiscard]] std::uint64_t lost_before() const;
  /// How long it is still worth handling: what publish_options::deadline said, less the time since. Hand it on as
  /// `{.deadline = with.time_left()}`. max: for ever.
  [[nodiscard]] base::duration time_left() const;
  /// Its name, also where a pattern covers many. Lifetime: the bus's.
  [[nodiscard]] std::string_view topic() const noexcept;
  /// What publish_options::key said; empty without one.
  [[nodiscard]] std::string_view key() const;
  /// The value of the first header of that name, if there is one.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  /// Every header, by position, in the order of the publish. Precondition of header_at: `position` < header_count().
  [[nodiscard]] std::size_t header_count() const;
  [[nodiscard]] amphibus::header header_at(std::size_t position) const;

  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// For the library only. Refers to the topic and the identity, which change from message to message.
  context(const detail::bus_core& bus, detail::topic_core* const& about, const detail::identity_word& which) noexcept
      : bus_(bus), topic_(about), message_(which) {}
  /// For the library only. Of one message, whichever is looked at meanwhile.
  struct lasting {
    detail::identity_word which;
  };
  context(const detail::bus_core& bus, detail::topic_core* const& about, lasting of) noexcept
      : bus_(bus), topic_(about), own_(of.which), message_(own_) {}

 private:
  [[nodiscard]] wire::envelope envelope() const;
  const detail::bus_core& bus_;
  detail::topic_core* const& topic_;
  const detail::identity_word own_;
  const detail::identity_word& message_;
};

}  // namespace amphibus
#pragma GCC visibility pop
