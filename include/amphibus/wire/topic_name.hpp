#pragma once

#include <cstddef>
#include <string_view>

#include <amphibus/base/error.hpp>

#pragma GCC visibility push(default)
namespace amphibus::wire {

/// Limits of the grammar; libzmq 4.3.4 loses subscriptions of 246 bytes and more, hence 200.
inline constexpr std::size_t topic_name_size_max_bytes = 200;
inline constexpr std::size_t topic_token_count_max = 16;

/// What is wrong with a name; `position` is the 0-based byte where it was found.
enum class topic_fault : unsigned char {
  none,
  empty,
  too_long,
  too_many_tokens,
  empty_token,
  bad_character,
  misplaced_wildcard
};
struct topic_verdict {
  topic_fault fault = topic_fault::none;
  std::size_t position = 0;
  constexpr bool ok() const noexcept { return fault == topic_fault::none; }
};

namespace detail {
constexpr bool is_token_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// One token `text[begin, end)`; wildcards only where `pattern`.
constexpr topic_verdict check_token(std::string_view text, std::size_t begin, std::size_t end, bool pattern) noexcept {
  if (begin == end) return {topic_fault::empty_token, begin};
  const bool wildcard = text[begin] == '*' || text[begin] == '>';
  if (pattern && wildcard) {
    const bool alone = end - begin == 1 && (text[begin] == '*' || end == text.size());
    return alone ? topic_verdict{} : topic_verdict{topic_fault::misplaced_wildcard, begin};
  }
  for (std::size_t i = begin; i != end; ++i) {
    if (!is_token_character(text[i])) return {topic_fault::bad_character, i};
  }
  return {};
}

constexpr topic_verdict check(std::string_view text, bool pattern) noexcept {
  if (text.empty()) return {topic_fault::empty, 0};
  if (text.size() > topic_name_size_max_bytes) return {topic_fault::too_long, topic_name_size_max_bytes};
  std::size_t tokens = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = begin;
    while (end != text.size() && text[end] != '.') ++end;
    if (++tokens > topic_token_count_max) return {topic_fault::too_many_tokens, begin};
    if (const auto verdict = check_token(text, begin, end, pattern); !verdict.ok()) return verdict;
    begin = end + 1;
  }
  return {};
}
}  // namespace detail

/// Checks a topic name: tokens of [A-Za-z0-9_-] joined by dots, no wildcards.
constexpr topic_verdict check_topic_name(std::string_view name) noexcept { return detail::check(name, false); }

/// Checks a pattern: as a name, and `*` may stand for one token, `>` as last token for one or more.
constexpr topic_verdict check_topic_pattern(std::string_view pattern) noexcept { return detail::check(pattern, true); }

/// True if the valid `pattern` covers the valid `name`, with NATS's rules: `foo.>` does not match `foo`.
constexpr bool topic_matches(std::string_view pattern, std::string_view name) noexcept {
  for (;;) {
    if (pattern == ">") return true;
    const auto pattern_end = pattern.find('.');
    const auto name_end = name.find('.');
    const auto token = pattern.substr(0, pattern_end);
    if (token != "*" && token != name.substr(0, name_end)) return false;
    if ((pattern_end == std::string_view::npos) != (name_end == std::string_view::npos)) return false;
    if (pattern_end == std::string_view::npos) return true;
    pattern.remove_prefix(pattern_end + 1);
    name.remove_prefix(name_end + 1);
  }
}

/// The error for a refused name or pattern: escaped, with position, limit and mend. Precondition: !verdict.ok().
error topic_error(std::string_view text, topic_verdict verdict, error_location where = {});

}  // namespace amphibus::wire
#pragma GCC visibility pop
