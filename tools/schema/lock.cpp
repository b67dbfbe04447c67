#include "lock.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include "problem.hpp"

namespace amphibus::schema {
namespace {

constexpr std::string_view first_line = "amphibus schema lock 1";
constexpr std::string_view preamble =
    "# What these schemas promise to programs that were built before. Written by `amphibus schema lock`; not by "
    "hand.\n";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

/// The words of one line, taken one after the other.
class line_reader {
 public:
  line_reader(const std::string& path, int number, const std::string& line)
      : where_(path + ":" + std::to_string(number)), words_(words_of(line)) {}

  [[noreturn]] void refuse(const std::string& text) const {
    throw problem(where_, text, "take the lock back from version control, or write it anew: amphibus schema lock");
  }
  [[nodiscard]] bool done() const { return at_ == words_.size(); }
  std::string word(const char* what) {
    if (done()) refuse(std::string("the line ends before ") + what);
    return words_[at_++];
  }
  bool taken(std::string_view keyword) {
    const bool is = !done() && words_[at_] == keyword;
    at_ += is ? 1U : 0U;
    return is;
  }
  template <class Number>
  Number number(const char* what) {
    const std::string text = word(what);
    Number out{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) refuse(std::string(what) + " is no number");
    return out;
  }
  void end() const {
    if (!done()) refuse("'" + words_[at_] + "' is one word too many");
  }

 private:
  std::string where_;
  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// `%20` is a blank again.
std::string from_one_word(const std::string& word, const line_reader& in) {
  std::string out;
  for (std::size_t i = 0; i != word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    const int high = i + 2 < word.size() ? digit_of(word[i + 1]) : -1;
    const int low = high < 0 ? -1 : digit_of(word[i + 2]);
    if (low < 0) in.refuse("% without two digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

schema_file read_file_line(line_reader& from) {
  schema_file out;
  out.name = from.word("its name");
  if (from.taken("root")) out.root = from.word("the root's name");
  if (from.taken("identifier")) out.identifier = from_one_word(from.word("the identifier"), from);
  return out;
}

std::optional<definition_kind> kind_of(const std::string& word) {
  if (word == "table") return definition_kind::table;
  if (word == "struct") return definition_kind::structure;
  if (word == "enum") return definition_kind::enumeration;
  return word == "union" ? std::optional(definition_kind::union_type) : std::nullopt;
}

definition read_head(definition_kind kind, line_reader& from) {
  definition out;
  out.kind = kind;
  out.name = from.word("its name");
  if (kind == definition_kind::table) {
    if (!from.taken("major")) from.refuse("a table without major");
    out.major = from.number<unsigned>("the major");
    if (from.taken("topic")) out.topic = from.word("the topic");
  } else if (kind == definition_kind::structure) {
    if (!from.taken("size")) from.refuse("a struct without size");
    out.size_bytes = from.number<unsigned>("the size");
    if (!from.taken("align")) from.refuse("a struct without align");
    out.align_bytes = from.number<unsigned>("the alignment");
  } else if (kind == definition_kind::enumeration) {
    out.underlying = from.word("its type");
    out.bit_flags = from.taken("bit_flags");
  }
  return out;
}

std::string read_member(definition& into, line_reader& from) {
  if (into.kind == definition_kind::enumeration || into.kind == definition_kind::union_type) {
    value& made = into.values.emplace_back();
    made.number = from.number<std::int64_t>("the number");
    made.name = from.word("the name");
    if (into.kind == definition_kind::union_type) made.type = from.word("the type");
    return made.name;
  }
  field& made = into.fields.emplace_back();
  made.id = from.number<unsigned>("the id");
  made.name = from.word("the name");
  made.type = from.word("the type");
  if (from.taken("=")) made.default_value = from.word("the default");
  made.required = from.taken("required");
  made.key = from.taken("key");
  made.deprecated = from.taken("deprecated");
  return made.name;
}

class lock_reader {
 public:
  explicit lock_reader(lock& into) : out_(into) {}

  void line(const std::string& text, int number) {
    line_reader from(out_.path, number, text);
    if (text.starts_with("  ")) {
      if (current_ == nullptr) from.refuse("a member without definition");
      out_.lines.emplace(current_->name + "." + read_member(*current_, from), number);
    } else {
      head(from, number);
    }
    from.end();
  }

 private:
  void head(line_reader& from, int number) {
    const std::string word = from.word("its kind");
    current_ = nullptr;
    if (word == "file") {
      auto file = read_file_line(from);
      out_.lines.emplace(file.name, number);
      out_.content.files.emplace(file.name, std::move(file));
      return;
    }
    const auto kind = kind_of(word);
    if (!kind) from.refuse("'" + word + "' is none of file, table, struct, enum, union");
    auto read = read_head(*kind, from);
    const auto [at, fresh] = out_.content.definitions.emplace(read.name, std::move(read));
    if (!fresh) from.refuse(at->first + " is there twice");
    current_ = &at->second;
    out_.lines.emplace(at->first, number);
  }

  lock& out_;
  definition* current_ = nullptr;
};

std::set<std::string> flat_lines(const model& of) {
  std::set<std::string> out;
  for (const auto& [name, each] : of.files) out.insert(file_line(each));
  for (const auto& [name, each] : of.definitions) {
    out.insert(head_line(each));
    for (const field& one : each.fields) out.insert(name + ": " + member_line(each, one));
    for (const value& one : each.values) out.insert(name + ": " + member_line(one));
  }
  return out;
}

}  // namespace

std::string lock_text(const model& of) {
  std::string out = std::string(first_line) + "\n" + std::string(preamble);
  for (const auto& [name, each] : of.files) out += file_line(each) + "\n";
  for (const auto& [name, each] : of.definitions) out += "\n" + text_of(each);
  return out;
}

lock parse_lock(std::string_view text, const std::string& path) {
  lock out;
  out.path = path;
  lock_reader into(out);
  std::istringstream in{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line != first_line)
      throw problem(
          path + ":1",
          "this is not a lock that this version reads: its first line is not '" + std::string(first_line) + "'",
          "write it anew: amphibus schema lock --lock " + path + " SCHEMA…");
    if (number != 1 && !line.empty() && !line.starts_with('#')) into.line(line, number);
  }
  if (line.empty() && out.content.definitions.empty() && text.empty())
    throw problem(path, "the lock is empty", "write it: amphibus schema lock --lock " + path + " SCHEMA…");
  return out;
}

lock read_lock(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw problem(path, "there is no such lock",
                  "write the first one: amphibus schema lock --lock " + path + " SCHEMA…");
  return parse_lock(std::string{std::istreambuf_iterator<char>(in), {}}, path);
}

std::vector<std::string> difference(const model& locked, const model& now) {
  const auto before = flat_lines(locked);
  const auto after = flat_lines(now);
  std::vector<std::string> out;
  for (const std::string& each : before) {
    if (!after.contains(each)) out.push_back("- " + each);
  }
  for (const std::string& each : after) {
    if (!before.contains(each)) out.push_back("+ " + each);
  }
  return out;
}

}  // namespace amphibus::schema
