#include "model.hpp"

#include <initializer_list>
#include <utility>

#include "problem.hpp"

namespace amphibus::schema {
namespace {

/// The name inside the brackets of a vector or an array.
std::string element_of(const std::string& type) {
  if (!type.starts_with('[')) return type;
  return type.substr(1, type.find_first_of(":]") - 1);
}

std::string words(std::initializer_list<std::pair<std::string_view, std::string>> of) {
  std::string out;
  for (const auto& [word, argument] : of) {
    if (!argument.empty()) out += " " + std::string(word) + " " + argument;
  }
  return out;
}

/// Four bytes of any kind as one word of a line.
std::string one_word(const std::string& identifier) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char each : identifier) {
    const auto byte = static_cast<unsigned char>(each);
    const bool plain = byte > ' ' && byte < 0x7f && each != '%';
    out += plain ? std::string(1, each) : std::string{'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return out;
}

}  // namespace

std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t out = 0xcbf29ce484222325U;
  for (const char each : text) out = (out ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
  return out;
}

std::string head_line(const definition& of) {
  switch (of.kind) {
    case definition_kind::table:
      return "table " + of.name + " major " + std::to_string(of.major) + words({{"topic", of.topic}});
    case definition_kind::structure:
      return "struct " + of.name + " size " + std::to_string(of.size_bytes) + " align " +
             std::to_string(of.align_bytes);
    case definition_kind::enumeration:
      return "enum " + of.name + " " + of.underlying + (of.bit_flags ? " bit_flags" : "");
    case definition_kind::union_type: break;
  }
  return "union " + of.name;
}

std::string member_line(const definition& of, const field& member) {
  std::string out = std::to_string(member.id) + " " + member.name + " " + member.type;
  if (of.kind == definition_kind::structure) return out;
  out += words({{"=", member.default_value}});
  if (member.required) out += " required";
  if (member.key) out += " key";
  if (member.deprecated) out += " deprecated";
  return out;
}

std::string member_line(const value& member) {
  return std::to_string(member.number) + " " + member.name + (member.type.empty() ? "" : " " + member.type);
}

std::string file_line(const schema_file& of) {
  return "file " + of.name + words({{"root", of.root}, {"identifier", one_word(of.identifier)}});
}

std::string text_of(const definition& of) {
  std::string out = head_line(of) + "\n";
  for (const field& each : of.fields) out += "  " + member_line(of, each) + "\n";
  for (const value& each : of.values) out += "  " + member_line(each) + "\n";
  return out;
}

std::vector<std::string> uses(const model& in, const definition& of) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& type) {
    if (in.definitions.contains(element_of(type))) out.push_back(element_of(type));
  };
  for (const field& each : of.fields) add(each.type);
  for (const value& each : of.values) add(each.type);
  return out;
}

std::set<std::string> reach(const model& in, const std::string& name) {
  std::set<std::string> out;
  std::vector<std::string> open{name};
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    const auto found = in.definitions.find(next);
    if (found == in.definitions.end() || !out.insert(next).second) continue;
    for (std::string& each : uses(in, found->second)) open.push_back(std::move(each));
  }
  return out;
}

std::uint64_t hash_of(const model& in, const std::string& name) {
  std::string text = name + "\n";
  for (const std::string& each : reach(in, name)) text += text_of(in.definitions.at(each));
  return fnv1a(text);
}

void merge(model& into, const model& from) {
  for (const auto& [name, each] : from.definitions) {
    const auto [found, fresh] = into.definitions.emplace(name, each);
    if (fresh || text_of(found->second) == text_of(each)) continue;
    throw problem(each.file, name + " is defined here and, with other content, in " + found->second.file,
                  "rename one of them or give it another namespace");
  }
  for (const auto& [name, each] : from.files) {
    const auto [found, fresh] = into.files.emplace(name, each);
    if (fresh || file_line(found->second) == file_line(each)) continue;
    throw problem(name, "two schema files have this name",
                  "rename one of them: generated headers are named after them");
  }
}

}  // namespace amphibus::schema
