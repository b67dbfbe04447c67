#include "source.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace amphibus::schema {
namespace {

struct token {
  std::string_view text;
  int line = 0;
};

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

/// Where the comment or string that begins at `at` ends; `at` where there is none.
std::size_t skip(std::string_view text, std::size_t at) {
  const auto after = [&](std::string_view end, std::size_t from) {
    const auto found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  if (text.substr(at).starts_with("//")) return after("\n", at);
  if (text.substr(at).starts_with("/*")) return after("*/", at + 2);
  return text[at] == '"' ? after("\"", at + 1) : at;
}

std::vector<token> tokens(std::string_view text) {
  std::vector<token> out;
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = skip(text, at);
    if (end == at) {
      while (end != text.size() && is_name(text[end])) ++end;
      end = std::max(end, at + 1);
      if (std::isspace(static_cast<unsigned char>(text[at])) == 0) out.push_back({text.substr(at, end - at), line});
    }
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                        text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at = end;
  }
  return out;
}

bool opens_definition(std::string_view word) {
  return word == "table" || word == "struct" || word == "enum" || word == "union";
}

/// The line of the first `member` before the definition's closing brace. A field is followed by a colon, the member of
/// an enum or union stands alone.
int member_line(const std::vector<token>& of, std::size_t from, const definition& in, std::string_view member) {
  bool inside = false;
  for (std::size_t i = from; i != of.size() && of[i].text != "}"; ++i) {
    inside = inside || of[i].text == "{";
    const bool declares = in.fields.empty() || (i + 1 != of.size() && of[i + 1].text == ":");
    if (inside && declares && of[i].text == member) return of[i].line;
  }
  return 0;
}

}  // namespace

int line_of(std::string_view text, const definition& of, const std::string& member) {
  const auto dot = of.name.rfind('.');
  const auto space = dot == std::string::npos ? std::string() : of.name.substr(0, dot);
  const auto local = dot == std::string::npos ? of.name : of.name.substr(dot + 1);
  const auto all = tokens(text);
  std::string_view current;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i].text == "namespace") current = all[i + 1].text == ";" ? std::string_view() : all[i + 1].text;
    if (!opens_definition(all[i].text) || all[i + 1].text != local || current != space) continue;
    const int line = member.empty() ? 0 : member_line(all, i + 2, of, member);
    return line == 0 ? all[i].line : line;
  }
  return 0;
}

}  // namespace amphibus::schema
