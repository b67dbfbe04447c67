#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <amphibus/wire/codec.hpp>
#include <amphibus/wire/topic_name.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

namespace detail {
/// What every subscriber can be given: it is moved into the inboxes, shared as const, and destroyed.
template <class T>
inline constexpr bool can_be_message =
    std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T> &&
    std::is_move_constructible_v<T> && std::is_destructible_v<T>;

/// Not constexpr on purpose: reaching it stops the compilation of a malformed topic literal and shows its name.
inline void topic_literal_breaks_the_grammar_tokens_of_A_Za_z0_9_dash_underscore_joined_by_dots() {}
}  // namespace detail

/// Says of a topic that its messages have to be able to leave the process: without a codec it does not compile, where
/// otherwise a route that sends it out is a start-up error.
struct with_codec_t {};
inline constexpr with_codec_t with_codec{};

/// A topic: a name and the one type of its messages, shared by publishers and subscribers as a constant.
///
/// ```cpp
/// struct order_placed { int id; int pence; };
/// inline constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};
/// ```
/// A malformed literal does not compile; nor does publishing another type. The codec of T, if one is visible here, is
/// captured: a topic that a route sends out of the process needs one, and one that is defined with `{"…", with_codec}`
/// does not compile without it.
///
/// Limits: 200 bytes, 16 tokens of [A-Za-z0-9_-]. Thread: const-safe. Lifetime: the literal's.
template <class T>
class topic {
  static_assert(
      detail::can_be_message<T>,
      "this type is no message: a message is an object that can be moved, not a reference, array, void, const, or "
      "a type without move constructor; publish a struct that holds it");

 public:
  using message_type = T;

  template <std::size_t Size>
  consteval topic(const char (&name)[Size])  // NOLINT(google-explicit-constructor): a literal is a topic
      : name_(name, Size - 1), codec_(wire::find_codec<T>()) {
    if (!wire::check_topic_name(name_).ok()) {
      detail::topic_literal_breaks_the_grammar_tokens_of_A_Za_z0_9_dash_underscore_joined_by_dots();
    }
  }

  template <std::size_t Size>
  consteval topic(const char (&name)[Size], with_codec_t) : topic(name) {
    static_assert(has_codec<T>,
                  "this topic is defined with_codec, but no codec of its type is visible here: include the header that "
                  "amphibus_add_schemas() generates, write AMPHIBUS_POD(type, version, fields) for a plain struct, or "
                  "specialise amphibus::codec");
  }

  /// For the library only; see bus::make_topic for names that are known at run time.
  topic(const std::string& name, const wire::codec_operations* codec) noexcept : name_(name), codec_(codec) {}

  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }
  /// How messages leave the process; nullptr if T has no codec.
  [[nodiscard]] constexpr const wire::codec_operations* codec() const noexcept { return codec_; }

 private:
  std::string_view name_;
  const wire::codec_operations* codec_;
};

}  // namespace amphibus
#pragma GCC visibility pop
