#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Keeps the compiler from merging neighbouring loads or stores of `word` into one wider access.
///
/// A wide load that follows narrow stores to the same bytes cannot be forwarded from them and waits some 12 cycles
/// until they reach the cache. A message is written field by field directly before it is queued, so that is its normal
/// case.
[[nodiscard]] inline std::uint64_t apart(std::uint64_t word) noexcept {
#if defined(__GNUC__)
  asm("" : "+r"(word));
#endif
  return word;
}

/// `Size` bytes that are copied word by word when constructed (just written, see apart()), at full width when assigned.
template <std::size_t Size>
class words {
 public:
  words() = default;
  /// The bytes of a trivially copyable value of at most Size bytes; the rest is zero.
  template <class T>
  explicit words(const T& from) noexcept {
    static_assert(sizeof(T) <= Size);
    fill<T>(reinterpret_cast<const std::byte*>(&from), std::make_index_sequence<count>());
  }
  words(const words& from) noexcept { copy(from, std::make_index_sequence<count>()); }
  words& operator=(const words& from) = default;

  [[nodiscard]] const void* data() const noexcept { return data_; }

 private:
  static constexpr std::size_t count = (Size + 7) / 8;

  template <class T, std::size_t... I>
  void fill(const std::byte* from, std::index_sequence<I...>) noexcept {
    ((data_[I] = load<sizeof(T), I>(from)), ...);
  }
  template <std::size_t... I>
  void copy(const words& from, std::index_sequence<I...>) noexcept {
    ((data_[I] = apart(from.data_[I])), ...);
  }
  template <std::size_t Available, std::size_t I>
  static std::uint64_t load(const std::byte* from) noexcept {
    std::uint64_t word = 0;
    if constexpr (Available > I * 8) {
      std::memcpy(&word, from + I * 8, Available - I * 8 < 8 ? Available - I * 8 : 8);
      word = apart(word);
    }
    return word;
  }

  std::uint64_t data_[count];
};

}  // namespace amphibus::base
#pragma GCC visibility pop
