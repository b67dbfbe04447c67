#pragma once

// What the headers need of <algorithm>, which alone would cost a seventh of the compile-time budget of
// <amphibus/bus.hpp>.
#include <cstddef>

#pragma GCC visibility push(default)
namespace amphibus::base {

template <class T>
[[nodiscard, gnu::always_inline]] constexpr T least(T one, T other) noexcept {
  return other < one ? other : one;
}
template <class T>
[[nodiscard, gnu::always_inline]] constexpr T most(T one, T other) noexcept {
  return one < other ? other : one;
}
template <class T>
[[nodiscard]] constexpr T between(T lowest, T value, T highest) noexcept {
  return least(most(lowest, value), highest);
}
/// The first `count` of them, one after the other.
template <class From, class T>
constexpr void copy_some(const From& from, std::size_t count, T* to) noexcept {
  for (std::size_t i = 0; i != count; ++i) to[i] = from[i];
}

}  // namespace amphibus::base
#pragma GCC visibility pop
