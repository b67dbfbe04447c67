// Topic names and patterns against a reading of the grammar that is too plain to be wrong.
#include <amphibus/base/assert.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "fuzz.hpp"

using namespace amphibus;

namespace {

using tokens = std::vector<std::string>;

bool plain_token(const std::string& token) {
  static const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !token.empty() && token.find_first_not_of(allowed) == std::string::npos;
}

bool is_name(const std::string& text) {
  const tokens parts = fuzz::split(text, '.');
  return text.size() <= 200 && parts.size() <= 16 && std::all_of(parts.begin(), parts.end(), plain_token);
}

bool is_pattern(const std::string& text) {
  const tokens parts = fuzz::split(text, '.');
  if (text.size() > 200 || parts.size() > 16) return false;
  for (std::size_t i = 0; i != parts.size(); ++i) {
    const bool rest = parts[i] == ">" && i + 1 == parts.size();
    if (!rest && parts[i] != "*" && !plain_token(parts[i])) return false;
  }
  return true;
}

bool matches(const tokens& pattern, const tokens& name) {
  for (std::size_t i = 0; i != pattern.size(); ++i) {
    if (i == name.size()) return false;
    if (pattern[i] == ">") return true;
    if (pattern[i] != "*" && pattern[i] != name[i]) return false;
  }
  return pattern.size() == name.size();
}

void check_error(const std::string& text, wire::topic_verdict verdict) {
  if (verdict.ok()) return;
  AMPHIBUS_ASSERT(verdict.position <= text.size(), "a position beyond the text");
  AMPHIBUS_ASSERT(fuzz::printable(wire::topic_error(text, verdict, {text}).what()), "an error that is not printable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  const auto line = std::min(text.find('\n'), text.size());
  const std::string pattern = text.substr(0, line);
  const std::string name = text.substr(std::min(line + 1, text.size()));
  for (const std::string& each : {pattern, name}) {
    AMPHIBUS_ASSERT(wire::check_topic_name(each).ok() == is_name(each), "names are read otherwise");
    AMPHIBUS_ASSERT(wire::check_topic_pattern(each).ok() == is_pattern(each), "patterns are read otherwise");
    check_error(each, wire::check_topic_name(each));
    check_error(each, wire::check_topic_pattern(each));
  }
  if (is_pattern(pattern) && is_name(name)) {
    const bool expected = matches(fuzz::split(pattern, '.'), fuzz::split(name, '.'));
    AMPHIBUS_ASSERT(wire::topic_matches(pattern, name) == expected, "another match");
  }
  return 0;
}
