#include "header.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <set>

#include "problem.hpp"

namespace amphibus::schema {
namespace {

std::string replaced(std::string in, std::string_view what, std::string_view by) {
  for (std::size_t at = in.find(what); at != std::string::npos; at = in.find(what, at + by.size()))
    in.replace(at, what.size(), by);
  return in;
}

std::string stem_of(const std::string& file) { return std::filesystem::path(file).stem().string(); }

/// As octal escapes of fixed length: a hexadecimal one would swallow digits that follow it.
std::string literal(const std::string& bytes) {
  std::string out = "\"";
  for (std::size_t at = 0; at != bytes.size(); ++at) {
    std::array<char, 5> escape{};
    std::snprintf(escape.data(), escape.size(), "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(bytes[at])));
    out += at != 0 && at % 28 == 0 ? "\"\n    \"" : "";
    out += escape.data();
  }
  return out + "\"";
}

/// Named by its content: two schema files of one name in one program are two constants.
std::string schema_constant(const std::string& bytes) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(fnv1a(bytes)));
  return std::string("schema_") + digits.data();
}

/// Aligned, because FlatBuffers reads it in place.
std::string schema_text(const std::string& constant, const std::string& bytes) {
  return "namespace amphibus::wire::binary_schemas {\nalignas(8) inline constexpr char " + constant +
         "_bytes[] =\n    " + literal(bytes) + ";\ninline constexpr std::string_view " + constant + "{" + constant +
         "_bytes, " + std::to_string(bytes.size()) + "};\n}  // namespace amphibus::wire::binary_schemas\n\n";
}

/// What a message of the table needs to be read in place.
unsigned alignment_of(const loaded& schema, const definition& table) {
  unsigned out = 8;
  for (const std::string& each : reach(schema.content, table.name))
    out = std::max(out, schema.content.definitions.at(each).align_bytes);
  return out;
}

/// Constants of the attributes that the table may have: the topic it is published on, the field that is its key.
std::string attributes_text(const definition& table) {
  const auto constant = [](const std::string& name, const std::string& text) {
    return "  static constexpr std::string_view " + name + " = \"" + text + "\";\n";
  };
  std::string out = table.topic.empty() ? "" : constant("topic", table.topic);
  for (const field& each : table.fields) {
    if (each.key) out += constant("key", each.name);
  }
  return out;
}

std::string codec_text(const loaded& schema, const definition& table, const std::string& constant) {
  const std::string type = "::" + replaced(table.name, ".", "::");
  return "template <>\nstruct amphibus::wire::table_traits<" + type +
         "> {\n  static constexpr std::string_view type_name = \"" + table.name +
         "\";\n  static constexpr std::uint16_t major = " + std::to_string(table.major) +
         ";\n  static constexpr std::uint64_t schema_hash = " + std::to_string(hash_of(schema.content, table.name)) +
         "U;\n  static constexpr std::string_view binary_schema = binary_schemas::" + constant +
         ";\n  static constexpr std::size_t alignment = " + std::to_string(alignment_of(schema, table)) + ";\n" +
         attributes_text(table) + "};\ntemplate <>\nstruct amphibus::codec<" + type +
         "T> : amphibus::wire::flatbuffers_codec<" + type + "T> {};\n\n";
}

/// `OrderPlaced` as `order_placed`, `HTTPReply` as `http_reply`.
std::string snake_case(const std::string& name) {
  const auto upper = [&](std::size_t at) { return std::isupper(static_cast<unsigned char>(name[at])) != 0; };
  std::string out;
  for (std::size_t i = 0; i != name.size(); ++i) {
    const bool begins = upper(i) && i != 0 && name[i - 1] != '_' &&
                        (!upper(i - 1) || (i + 1 != name.size() && !upper(i + 1) && name[i + 1] != '_'));
    if (begins) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return out;
}

std::string topic_text(const loaded& schema, const definition& table, std::set<std::string>& taken) {
  const auto dot = table.name.rfind('.');
  const std::string space = dot == std::string::npos ? "" : replaced(table.name.substr(0, dot), ".", "::");
  const std::string local = dot == std::string::npos ? table.name : table.name.substr(dot + 1);
  const std::string constant = snake_case(local) + "_topic";
  if (!taken.insert(space + "::" + constant).second)
    throw problem(schema.path, table.name + " and another table would both get the constant " + constant,
                  "rename one of the tables, or name one topic in C++ instead of by the attribute");
  const std::string line =
      "inline constexpr amphibus::topic<" + local + "T> " + constant + "{\"" + table.topic + "\"};\n";
  return space.empty() ? line + "\n" : "namespace " + space + " {\n" + line + "}  // namespace " + space + "\n\n";
}

/// A schema that another target generates is found through that target's include folder.
std::string include_text(const std::string& file, const std::string& by) {
  const std::string header = stem_of(file) + "_amphibus.h";
  return "#if !__has_include(\"" + header + "\")\n#error \"" + file_name(by) + " includes " + file_name(file) +
         ": add it to the SCHEMAS of amphibus_add_schemas(), or link the target that has it\"\n#endif\n#include \"" +
         header + "\"\n";
}

}  // namespace

std::string make_word(const std::string& path) { return replaced(replaced(path, " ", "\\ "), "#", "\\#"); }

std::string header_of(const loaded& schema) {
  const std::string constant = schema_constant(schema.bytes);
  std::string traits;
  std::string topics;
  std::set<std::string> taken;
  for (const auto& [name, each] : schema.content.definitions) {
    if (each.kind != definition_kind::table || each.file != schema.file) continue;
    traits += codec_text(schema, each, constant);
    if (!each.topic.empty()) topics += topic_text(schema, each, taken);
  }
  std::string out = "// Generated by amphibus_schemac; do not edit.\n#pragma once\n\n";
  out += "#include <amphibus/topic.hpp>\n#include <amphibus/wire/flatbuffers.hpp>\n\n";
  for (const auto& [file, included] : schema.files) {
    if (file != schema.file) continue;
    for (const std::string& each : included) out += include_text(each, file);
  }
  out += "#include \"" + stem_of(schema.file) + "_generated.h\"\n\n";
  return out + schema_text(constant, schema.bytes) + traits + topics;
}

std::string watched_by(const loaded& schema) {
  std::string out;
  for (const auto& each : schema.files)
    out += " " + make_word(std::filesystem::absolute(schema.path_of(each.first)).lexically_normal().string());
  return out;
}

}  // namespace amphibus::schema
