#pragma once

#include <cstddef>
#include <string_view>

#include <amphibus/detail/outlet.hpp>
#include <amphibus/wire/topic_name.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

namespace detail {
/// Not constexpr on purpose: reaching it stops the compilation of a malformed pattern literal and shows its name.
inline void pattern_literal_breaks_the_grammar_star_is_one_token_and_greater_than_the_rest() {}
}  // namespace detail

/// A message of whatever type: what a pattern<any_message> handles, for taps, audits and bridges.
///
/// ```cpp
/// auto tap = bus.subscribe(amphibus::pattern<amphibus::any_message>{"shop.>"}, [](const amphibus::any_message& m) {
///   if (const auto* order = m.as<order_placed>()) std::printf("order %d\n", order->id);
/// });
/// ```
/// Thread: confined to the handler call. Lifetime: the handler call.
class any_message {
 public:
  /// Lifetime: the bus's, as that of type_name().
  [[nodiscard]] std::string_view topic() const noexcept { return slot_.topic->name(); }
  /// As the compiler prints it, e.g. `order_placed`.
  [[nodiscard]] std::string_view type_name() const noexcept { return slot_.topic->type().name; }
  /// The message if it is a T, else nullptr: exactly T, no base of it.
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    const bool is_one = detail::same_type(slot_.topic->type(), detail::type_operations_of<T>);
    return is_one ? static_cast<const T*>(slot_.value()) : nullptr;
  }
  /// The codec of its type, or nullptr if the type cannot leave the process.
  [[nodiscard]] const wire::codec_operations* codec() const noexcept { return slot_.topic->codec(); }
  /// Appends the message as it would travel. Returns: false if it has no codec or the codec refuses it.
  [[nodiscard]] bool encode(wire::byte_writer& out) const {
    return codec() != nullptr && codec()->encode(slot_.value(), out);
  }

  any_message(const any_message&) = delete;
  any_message& operator=(const any_message&) = delete;

  /// For the library only: a copy that holds on to the message.
  [[nodiscard]] detail::any_slot keep() const noexcept { return slot_.with_references(); }
  explicit any_message(const detail::any_slot& of) noexcept : slot_(of) {}

 private:
  const detail::any_slot& slot_;
};

/// Many topics: `*` stands for one token, `>` as last token for one or more; the grammar of NATS.
///
/// ```cpp
/// auto all = bus.subscribe(amphibus::pattern<order_placed>{"shop.orders.*"}, {.name = "audit"}, handle);
/// ```
/// Also covers topics that appear later, from their first message. Topics of another type than T are passed over and
/// told once (event topic_skipped). One inbox for all its topics: order is kept per source and topic.
/// Limits: 200 bytes, 16 tokens. Thread: const-safe. Lifetime: the literal's, or that of the text given to parse().
template <class T>
class pattern {
 public:
  template <std::size_t Size>
  consteval pattern(const char (&text)[Size])  // NOLINT(google-explicit-constructor): a literal is a pattern
      : text_(text, Size - 1) {
    if (!wire::check_topic_pattern(text_).ok()) {
      detail::pattern_literal_breaks_the_grammar_star_is_one_token_and_greater_than_the_rest();
    }
  }
  /// From run-time text, which must live until subscribe has copied it. Returns: bad_topic with the escaped text and
  /// the position.
  [[nodiscard]] static result<pattern> parse(std::string_view text) {
    const auto verdict = wire::check_topic_pattern(text);
    if (!verdict.ok()) return wire::topic_error(text, verdict);
    return pattern(text, verdict);
  }

  /// As written.
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }
  /// True if a topic of that name, well-formed, is one of its topics, whatever its type.
  [[nodiscard]] constexpr bool covers(std::string_view topic) const noexcept {
    return wire::topic_matches(text_, topic);
  }

 private:
  pattern(std::string_view text, wire::topic_verdict) noexcept : text_(text) {}
  std::string_view text_;
};

}  // namespace amphibus
#pragma GCC visibility pop
