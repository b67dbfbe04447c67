#include "config/toml_scan.hpp"

#include <algorithm>

namespace amphibus::config {
namespace {

constexpr std::string_view ends_of_key = "\n=,[]{}";
/// What stands, blanks aside, before a string or a quoted key; a quote elsewhere is one more character of a token.
constexpr std::string_view before_string = "\n=,[{.";
constexpr std::string_view blanks = " \t\r";

/// The position behind the string that begins at `begin` with a quote; a missing end is the parser's to refuse.
std::size_t skip_string(std::string_view text, std::size_t begin) noexcept {
  const char quote = text[begin];
  const char triple[] = {quote, quote, quote};
  const std::string_view fence(triple, sizeof triple);
  const bool spans_lines = text.substr(begin, fence.size()) == fence;
  std::size_t at = begin + (spans_lines ? fence.size() : 1);
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (spans_lines && text.substr(at, fence.size()) == fence) {
      at += fence.size();
      // Up to two quotes may stand directly before the closing fence.
      for (int extra = 0; extra != 2 && at < text.size() && text[at] == quote; ++extra) ++at;
      return at;
    } else if (!spans_lines && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else {
      ++at;
    }
  }
  return text.size();
}

text_position position_of(std::string_view text, std::size_t offset) noexcept {
  text_position out;
  for (const char each : text.substr(0, offset)) {
    if (each == '\n') {
      ++out.line;
      out.column = 1;
    } else if ((static_cast<unsigned char>(each) & 0xC0U) != 0x80U) {
      ++out.column;
    }
  }
  return out;
}

/// The first position from `at` on that is in no string and no comment; the size of the text where there is none.
std::size_t skip_quoted(std::string_view text, std::size_t at) noexcept {
  while (at < text.size()) {
    if (text[at] == '"' || text[at] == '\'') {
      at = skip_string(text, at);
    } else if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else {
      break;
    }
  }
  return at;
}

}  // namespace

std::optional<text_position> find_deep_key(std::string_view toml, std::size_t parts_max) noexcept {
  std::size_t parts = 1;
  for (std::size_t at = skip_quoted(toml, 0); at < toml.size(); at = skip_quoted(toml, at + 1)) {
    if (toml[at] == '.' && ++parts > parts_max) return position_of(toml, at + 1);
    if (ends_of_key.find(toml[at]) != std::string_view::npos) parts = 1;
  }
  return std::nullopt;
}

std::optional<text_position> find_stray_character(std::string_view toml) noexcept {
  char before = '\n';  // the last character that is no blank
  for (std::size_t at = toml.starts_with("\xef\xbb\xbf") ? 3 : 0; at < toml.size();) {
    const char here = toml[at];
    if (here == '#') {
      at = std::min(toml.find('\n', at), toml.size());
      continue;
    }
    const bool quoted = here == '"' || here == '\'';
    if (!quoted && static_cast<unsigned char>(here) >= 0x80) return position_of(toml, at);
    at = quoted && before_string.find(before) != std::string_view::npos ? skip_string(toml, at) : at + 1;
    if (blanks.find(here) == std::string_view::npos) before = here;
  }
  return std::nullopt;
}

}  // namespace amphibus::config
