#pragma once

#include <cstddef>
#include <type_traits>

#pragma GCC visibility push(default)
namespace amphibus {

/// What a message of type T owns outside of itself, for the bounds in bytes: subscription_options::capacity_bytes and
/// bus_options::memory_max_bytes. Known for strings and vectors of plain values; specialise it for a type of yours
/// that holds much of its content elsewhere, else sizeof(T) is all that counts of it.
///
/// ```cpp
/// struct document { std::string title; std::vector<char> pages; };
/// template <> struct amphibus::owned_bytes<document> {
///   static std::size_t of(const document& d) noexcept { return d.title.size() + d.pages.size(); }
/// };
/// ```
/// `of` is called once or twice for each publish, on the publisher's thread. It must be visible wherever the topic is
/// used.
template <class T>
struct owned_bytes;

namespace detail {
template <class T>
concept plain_container = requires(const T& of) {
  typename T::value_type;
  of.data();
  of.size();
  of.capacity();
}
&&std::is_trivially_copyable_v<typename T::value_type>;
}  // namespace detail

template <detail::plain_container T>
struct owned_bytes<T> {
  static std::size_t of(const T& message) noexcept { return message.size() * sizeof(typename T::value_type); }
};

}  // namespace amphibus
#pragma GCC visibility pop
