#include "json_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace amphibus::cli {
namespace {

constexpr char32_t no_character = 0xfffd;  // what stands where bytes are no UTF-8
constexpr std::array<char32_t, 4> smallest_of_length{0, 0x80, 0x800, 0x10000};

/// Takes one character off the front; a byte that begins none becomes no_character.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  text.remove_prefix(1);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  if (more == 0 || first >= 0xf8 || text.size() < more) return no_character;
  char32_t value = first & (0x3fU >> more);
  for (std::size_t i = 0; i != more; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80) return no_character;
    value = value << 6U | (next & 0x3fU);
  }
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  if (value < smallest_of_length[more] || value > 0x10ffff || surrogate) return no_character;
  text.remove_prefix(more);
  return value;
}

void append_unit(std::string& out, unsigned unit) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", unit);
  out += text.data();
}

void append_character(std::string& out, char32_t value) {
  if (value == '"' || value == '\\') {
    out += '\\';
    out += static_cast<char>(value);
  } else if (value >= 0x20 && value < 0x7f) {
    out += static_cast<char>(value);
  } else if (value < 0x10000) {
    append_unit(out, static_cast<unsigned>(value));
  } else {
    append_unit(out, 0xd800U + static_cast<unsigned>((value - 0x10000) >> 10U));
    append_unit(out, 0xdc00U + static_cast<unsigned>((value - 0x10000) & 0x3ffU));
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) append_character(out, take_character(text));
  return out + '"';
}

std::string hex_text(std::span<const std::byte> bytes, std::size_t limit) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::byte each : bytes.first(std::min(bytes.size(), limit))) {
    const auto value = std::to_integer<unsigned>(each);
    out += digits[value >> 4U];
    out += digits[value & 15U];
  }
  return out;
}

}  // namespace amphibus::cli
