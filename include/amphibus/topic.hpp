#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <amphibus/retain.hpp>
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

/// How the key of a message is found, without its type. `name` tells two of them apart, for a person too.
struct key_operations {
  std::string_view name;
  /// The key as bytes: text as it lies in the message, or a number in `room`, 8 bytes.
  std::string_view (*bytes)(const void* message, char* room);
};

template <auto Key, class T>
constexpr decltype(auto) key_in(const T& message) {
  if constexpr (std::is_member_object_pointer_v<decltype(Key)>) {
    return (message.*Key);
  } else if constexpr (std::is_member_function_pointer_v<decltype(Key)>) {
    return (message.*Key)();
  } else {
    return Key(message);
  }
}

/// A number, an enumeration, or text that outlives the look at it: what a callable returns must not own it.
template <class Returned>
inline constexpr bool can_be_key = std::is_integral_v<std::remove_cvref_t<Returned>> ||
                                   std::is_enum_v<std::remove_cvref_t<Returned>> ||
                                   (std::is_convertible_v<Returned, std::string_view> &&
                                    (std::is_reference_v<Returned> || std::is_trivially_copyable_v<Returned>));

template <class T, auto Key>
std::string_view key_bytes(const void* message, char* room) {
  decltype(auto) key = key_in<Key>(*static_cast<const T*>(message));
  using type = std::remove_cvref_t<decltype(key)>;
  if constexpr (std::is_integral_v<type> || std::is_enum_v<type>) {
    const auto number = static_cast<std::uint64_t>(key);
    std::memcpy(room, &number, sizeof number);
    return {room, sizeof number};
  } else {
    return key;
  }
}

template <class T, auto Key>
constexpr std::string_view key_name() noexcept {
  std::string_view name = __PRETTY_FUNCTION__;
  const auto begin = name.find("Key = ") + 6;
  return name.substr(begin, name.find_first_of(";]", begin) - begin);
}

template <class T, auto Key>
inline constexpr key_operations key_operations_of{key_name<T, Key>(), &key_bytes<T, Key>};

/// Not constexpr on purpose: reaching it stops the compilation of a malformed topic literal and shows its name.
inline void topic_literal_breaks_the_grammar_tokens_of_A_Za_z0_9_dash_underscore_joined_by_dots() {}
/// The same for what it retains.
inline void a_topic_retains_1_to_65536_messages_of_each_key_and_up_to_16777216_of_all() {}
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
/// What has to stay in order together has a key: `topic<T, &T::member>`, or a member function or another callable
/// instead of the member, that returns a number, an enumeration or text. Subscriptions with `.concurrency` and groups
/// keep the order of each key, overflow::latest() keeps one message of each. A key must not throw. Where one constant
/// of a name has a key and another has none, the key counts; two different ones are an error (topic_key_conflict).
///
/// ```cpp
/// inline constexpr amphibus::topic<order_placed, &order_placed::id> keyed_orders{"shop.orders.keyed"};
/// ```
/// One that is given a retain keeps messages for subscriptions that come later, in this process: a route may not send
/// it out. Where only some constants of a name retain, it keeps from their first use on; two that ask for different
/// things are an error (topic_retain_conflict).
///
/// Limits: 200 bytes, 16 tokens of [A-Za-z0-9_-]. Thread: const-safe. Lifetime: the literal's.
template <class T, auto... Key>
class topic;

template <class T>
class topic<T> {
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

  /// One that keeps messages for subscriptions that come later.
  template <std::size_t Size>
  consteval topic(const char (&name)[Size], retain kept) : topic(name) {
    if (!kept.rule().is_valid()) detail::a_topic_retains_1_to_65536_messages_of_each_key_and_up_to_16777216_of_all();
    kept_ = kept.rule();
  }

  /// How messages are kept apart; nullptr without a key.
  [[nodiscard]] constexpr const detail::key_operations* key() const noexcept { return key_; }

  /// For the library only; see bus::make_topic for names that are known at run time.
  topic(const std::string& name, const wire::codec_operations* codec) noexcept : name_(name), codec_(codec) {}

  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_; }
  /// How messages leave the process; nullptr if T has no codec.
  [[nodiscard]] constexpr const wire::codec_operations* codec() const noexcept { return codec_; }
  /// What it keeps for subscriptions that come later.
  [[nodiscard]] constexpr const queue::retain_rule& retained() const noexcept { return kept_; }

 protected:
  constexpr void set_key(const detail::key_operations* key) noexcept { key_ = key; }

 private:
  std::string_view name_;
  const wire::codec_operations* codec_;
  const detail::key_operations* key_ = nullptr;
  queue::retain_rule kept_;
};

/// A topic whose messages have a key; wherever a topic<T> is taken, it is one.
template <class T, auto Key>
class topic<T, Key> : public topic<T> {
  static_assert(detail::can_be_key<decltype(detail::key_in<Key>(std::declval<const T&>()))>,
                "this is no key: a key is a member of the message, or what a callable returns of it: a number, an "
                "enumeration or text; a callable that returns text returns a std::string_view into the message");

 public:
  template <std::size_t Size>
  consteval topic(const char (&name)[Size])  // NOLINT(google-explicit-constructor): a literal is a topic
      : topic<T>(name) {
    this->set_key(&detail::key_operations_of<T, Key>);
  }
  template <std::size_t Size>
  consteval topic(const char (&name)[Size], with_codec_t tag) : topic<T>(name, tag) {
    this->set_key(&detail::key_operations_of<T, Key>);
  }
  template <std::size_t Size>
  consteval topic(const char (&name)[Size], retain kept) : topic<T>(name, kept) {
    this->set_key(&detail::key_operations_of<T, Key>);
  }
};

}  // namespace amphibus
#pragma GCC visibility pop
