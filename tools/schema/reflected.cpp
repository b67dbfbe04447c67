#include "reflected.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include <amphibus/wire/topic_name.hpp>

#include "problem.hpp"

namespace amphibus::schema {
namespace {

constexpr std::array scalar_names{"none", "utype", "bool", "byte",  "ubyte", "short",  "ushort",
                                  "int",  "uint",  "long", "ulong", "float", "double", "string"};

std::string text_of(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

template <class Of>
bool has(const Of& of, const char* attribute) {
  return of.attributes() != nullptr && of.attributes()->LookupByKey(attribute) != nullptr;
}

template <class Of>
std::string attribute_of(const Of& of, const char* attribute) {
  return has(of, attribute) ? text_of(of.attributes()->LookupByKey(attribute)->value()) : std::string();
}

bool is_scalar(reflection::BaseType base) { return base >= reflection::UType && base <= reflection::Double; }

/// The `_type` companion of a union is not a field of its own: its id is the union's minus one.
bool is_companion(const reflection::Type& type) {
  return type.base_type() == reflection::UType ||
         (type.base_type() == reflection::Vector && type.element() == reflection::UType);
}

std::string real_text(double of) {
  std::array<char, 40> out{};
  const auto written = std::to_chars(out.data(), out.data() + out.size(), of);
  return {out.data(), written.ptr};
}

std::string default_of(const reflection::Field& member) {
  const auto base = member.type()->base_type();
  if (!is_scalar(base)) return {};
  if (member.optional()) return "null";
  const bool real = base == reflection::Float || base == reflection::Double;
  return real ? real_text(member.default_real()) : std::to_string(member.default_integer());
}

}  // namespace

reflected::reflected(const std::string& bytes, std::string path) : path_(std::move(path)) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (!reflection::VerifySchemaBuffer(verifier))
    refuse("this is not a binary schema", "make it with flatc -b --schema --bfbs-builtins NAME.fbs");
  schema_ = reflection::GetSchema(bytes.data());
}

void reflected::refuse(const std::string& text, const std::string& mend) const { throw problem(path_, text, mend); }

std::string reflected::checked_name(const flatbuffers::String& text) const {
  const auto named = [](char c) { return c == '.' || wire::detail::is_token_character(c); };
  if (text.size() == 0 || !std::all_of(text.begin(), text.end(), named))
    refuse("a definition has a name that no schema can give", "make the file again; it is damaged");
  return text.str();
}

// The verifier follows offsets but knows nothing of indexes.
std::string reflected::base_name(reflection::BaseType base, int index) const {
  const auto at = static_cast<flatbuffers::uoffset_t>(index);
  const bool object = base == reflection::Obj;
  if (object || index >= 0) {
    const auto count = object ? schema_->objects()->size() : schema_->enums()->size();
    if (at >= count)
      refuse("a type with index " + std::to_string(index) + " of " + std::to_string(count),
             "make the file again; it is damaged");
    return checked_name(object ? *schema_->objects()->Get(at)->name() : *schema_->enums()->Get(at)->name());
  }
  const auto number = static_cast<std::size_t>(base);
  if (number >= scalar_names.size()) refuse("a type of kind " + std::to_string(number), "make the file again");
  return scalar_names[number];
}

std::string reflected::type_name(const reflection::Type& type) const {
  if (type.base_type() == reflection::Vector) return "[" + base_name(type.element(), type.index()) + "]";
  if (type.base_type() != reflection::Array) return base_name(type.base_type(), type.index());
  return "[" + base_name(type.element(), type.index()) + ":" + std::to_string(type.fixed_length()) + "]";
}

void reflected::refuse_unsafe(const reflection::Field& member, const std::string& name) const {
  for (const char* const each : {"nested_flatbuffer", "flexbuffer"}) {
    if (has(member, each))
      refuse(name + " is a " + each + ", whose inside cannot be verified within the limits",
             "make it a table, or a topic of its own");
  }
  // Pack() of FlatBuffers 2.0.8 asserts on a member it does not know, so a newer peer could end whoever sends it on.
  if (member.type()->base_type() == reflection::Vector && member.type()->element() == reflection::Union)
    refuse(name + " is a vector of unions, whose members that a newer program added cannot be sent on",
           "put the union into a table and make it a vector of that table");
}

field reflected::from(const reflection::Field& member, const reflection::Object& in) const {
  field out;
  out.name = checked_name(*member.name());
  refuse_unsafe(member, in.name()->str() + "." + out.name);
  out.type = type_name(*member.type());
  out.id = in.is_struct() ? member.offset() : member.id();
  if (in.is_struct()) return out;
  out.default_value = default_of(member);
  out.required = member.required();
  out.key = member.key();
  out.deprecated = member.deprecated();
  return out;
}

void reflected::read_attributes(const reflection::Object& object, definition& into) const {
  for (const char* const each : {"major", "topic"}) {
    if (into.kind == definition_kind::structure && has(object, each))
      refuse(into.name + " is a struct with the attribute " + each + "; only tables are messages", "make it a table");
  }
  if (has(object, "major")) {
    const std::string text = attribute_of(object, "major");
    const auto read = std::from_chars(text.data(), text.data() + text.size(), into.major);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || into.major < 1 || into.major > 65'535)
      refuse(into.name + " has the major '" + text + "'; allowed: 1 to 65535", "write (major: 2), without quotes");
  }
  into.topic = attribute_of(object, "topic");
  if (!has(object, "topic")) return;
  const auto verdict = wire::check_topic_name(into.topic);
  if (!verdict.ok())
    refuse("the topic of " + into.name + " breaks the grammar at byte " + std::to_string(verdict.position),
           "write 1 to 16 tokens of [A-Za-z0-9_-] joined by dots, at most 200 bytes");
}

definition reflected::from(const reflection::Object& object) const {
  definition out;
  out.kind = object.is_struct() ? definition_kind::structure : definition_kind::table;
  out.name = checked_name(*object.name());
  out.file = text_of(object.declaration_file());
  if (object.is_struct()) {
    out.size_bytes = static_cast<unsigned>(object.bytesize());
    out.align_bytes = static_cast<unsigned>(object.minalign());
  }
  read_attributes(object, out);
  for (const reflection::Field* each : *object.fields()) {
    if (is_companion(*each->type())) continue;
    out.fields.push_back(from(*each, object));
    const std::string forced = attribute_of(*each, "force_align");
    out.align_bytes = std::max(out.align_bytes, static_cast<unsigned>(std::atoi(forced.c_str())));
  }
  std::sort(out.fields.begin(), out.fields.end(), [](const field& a, const field& b) { return a.id < b.id; });
  return out;
}

definition reflected::from(const reflection::Enum& values) const {
  definition out;
  out.kind = values.is_union() ? definition_kind::union_type : definition_kind::enumeration;
  out.name = checked_name(*values.name());
  out.file = text_of(values.declaration_file());
  out.bit_flags = has(values, "bit_flags");
  if (!values.is_union()) out.underlying = base_name(values.underlying_type()->base_type(), -1);
  for (const reflection::EnumVal* each : *values.values()) {
    const bool member = values.is_union() && each->union_type() != nullptr;
    if (values.is_union() && each->value() == 0) continue;
    out.values.push_back({checked_name(*each->name()), each->value(), member ? type_name(*each->union_type()) : ""});
  }
  return out;
}

model reflected::content() const {
  model out;
  for (const reflection::Object* each : *schema_->objects()) out.definitions.emplace(each->name()->str(), from(*each));
  for (const reflection::Enum* each : *schema_->enums()) out.definitions.emplace(each->name()->str(), from(*each));
  return out;
}

schema_file reflected::own_file() const {
  const auto* const root = schema_->root_table();
  return {"", root == nullptr ? std::string() : checked_name(*root->name()), text_of(schema_->file_ident())};
}

std::vector<std::pair<std::string, std::vector<std::string>>> reflected::files() const {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  if (schema_->fbs_files() == nullptr) return out;
  for (const reflection::SchemaFile* each : *schema_->fbs_files()) {
    auto& [name, included] = out.emplace_back(each->filename()->str(), std::vector<std::string>());
    if (each->included_filenames() == nullptr) continue;
    for (const flatbuffers::String* one : *each->included_filenames()) included.push_back(one->str());
  }
  return out;
}

}  // namespace amphibus::schema
