#pragma once

// What the fuzz targets share. A target is one function over bytes; libFuzzer calls it with bytes of its own making,
// replay.cpp with those of files.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

/// Exactly these bytes in memory of their own: a sanitizer sees a read beyond them, and they are aligned.
inline std::vector<std::byte> copy_of(const std::uint8_t* data, std::size_t size) {
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  return {begin, begin + size};
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The parts of `text` between `by`.
inline std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = text.find(by);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

template <class T>
void put(std::vector<std::byte>& into, std::size_t at, T value) {
  std::memcpy(into.data() + at, &value, sizeof value);
}

/// Safe to print: nothing in it moves a cursor, forges a line or is read from right to left. `…` marks what was cut.
inline bool printable(std::string text) {
  constexpr std::string_view cut = "…";
  for (auto at = text.find(cut); at != std::string::npos; at = text.find(cut)) text.erase(at, cut.size());
  return std::all_of(text.begin(), text.end(), [](char each) { return each == '\n' || (each >= ' ' && each <= '~'); });
}

/// Makes decisions of the bytes of an input; zeros when they are used up.
class choices {
 public:
  choices(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t out = rest_.front();
    rest_ = rest_.subspan(1);
    return out;
  }
  /// At most `most` bytes, how many being a decision, too.
  std::span<const std::uint8_t> some(std::size_t most) {
    const std::size_t asked = std::size_t{byte()} | (std::size_t{byte()} << 8U);
    const auto out = rest_.first(std::min({asked, most, rest_.size()}));
    rest_ = rest_.subspan(out.size());
    return out;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace fuzz
