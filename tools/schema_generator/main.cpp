// amphibus_schemac SCHEMA.bfbs GENERATED.h OUT.h: writes the codecs of every table of a FlatBuffers schema.
#include <flatbuffers/reflection.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "amphibus_schemac: %s\n", what.c_str());
  std::exit(1);
}

std::string read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(std::string("cannot read ") + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

const reflection::KeyValue* attribute(const reflection::Object& of, const char* key) {
  return of.attributes() == nullptr ? nullptr : of.attributes()->LookupByKey(key);
}

/// The exact layout as text, with everything it reaches: what the schema hash covers.
class canonical_text {
 public:
  explicit canonical_text(const reflection::Schema& schema) : schema_(schema) {}

  const std::string& of(const reflection::Object& object) {
    if (!seen_.insert(object.name()->str()).second) return out_;
    out_ += (object.is_struct() ? "struct " : "table ") + object.name()->str() + "{";
    std::vector<const reflection::Field*> by_id(object.fields()->size());
    for (const reflection::Field* field : *object.fields()) {
      const bool ordered = field->id() < by_id.size();
      by_id[ordered ? field->id() : 0] = field;
    }
    std::vector<const reflection::Object*> reached;
    for (const reflection::Field* field : by_id) {
      if (field != nullptr) add(*field, object, reached);
    }
    out_ += "}";
    for (const reflection::Object* each : reached) of(*each);
    return out_;
  }

 private:
  void add(const reflection::Field& field, const reflection::Object& in,
           std::vector<const reflection::Object*>& reached) {
    const reflection::Type& type = *field.type();
    out_ += field.name()->str() + ":" + std::to_string(type.base_type()) + "," + std::to_string(type.element()) + ";";
    if (field.attributes() != nullptr) {
      for (const char* forbidden : {"nested_flatbuffer", "flexbuffer"}) {
        if (field.attributes()->LookupByKey(forbidden) == nullptr) continue;
        fail(in.name()->str() + "." + field.name()->str() + " is a " + forbidden +
             ", whose inside cannot be verified safely: make it a table of its own or a topic of its own");
      }
    }
    if (type.index() < 0) return;
    const auto index = static_cast<flatbuffers::uoffset_t>(type.index());
    const auto kind = type.base_type() == reflection::Vector ? type.element() : type.base_type();
    if (kind == reflection::Obj) {
      reached.push_back(schema_.objects()->Get(index));
    } else {
      add(*schema_.enums()->Get(index), reached);
    }
  }
  void add(const reflection::Enum& values, std::vector<const reflection::Object*>& reached) {
    if (!seen_.insert(values.name()->str()).second) return;
    out_ += "enum " + values.name()->str() + "{";
    for (const reflection::EnumVal* each : *values.values()) {
      out_ += each->name()->str() + "=" + std::to_string(each->value()) + ";";
      if (values.is_union() && each->union_type() != nullptr && each->union_type()->index() >= 0) {
        reached.push_back(schema_.objects()->Get(static_cast<flatbuffers::uoffset_t>(each->union_type()->index())));
      }
    }
    out_ += "}";
  }

  const reflection::Schema& schema_;
  std::set<std::string> seen_;
  std::string out_;
};

/// FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/): only has to change when the text does.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char each : text) value = (value ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
  return value;
}

std::string cpp_name(std::string name) {
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.')) name.replace(dot, 1, "::");
  return name;
}

unsigned major_of(const reflection::Object& table) {
  const reflection::KeyValue* const given = attribute(table, "major");
  if (given == nullptr) return 1;
  const int value = std::atoi(given->value()->c_str());
  if (value < 1 || value > 65'535)
    fail(table.name()->str() + " has major " + given->value()->str() + "; allowed: 1 to 65535");
  return static_cast<unsigned>(value);
}

/// As octal escapes of fixed length: a hexadecimal one would swallow digits that follow it.
std::string literal(const std::string& bytes) {
  std::string out = "\"";
  for (std::size_t at = 0; at != bytes.size(); ++at) {
    std::array<char, 5> escape{};
    std::snprintf(escape.data(), escape.size(), "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(bytes[at])));
    out += at != 0 && at % 32 == 0 ? "\"\n    \"" : "";
    out += escape.data();
  }
  return out + "\"";
}

/// Named by its content: two schemas of one file name in one program are two constants.
std::string schema_constant(const std::string& bytes) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash(bytes)));
  return std::string("schema_") + digits.data();
}

/// Aligned, because FlatBuffers reads it in place.
std::string definition_of(const std::string& constant, const std::string& bytes) {
  return "namespace amphibus::wire::binary_schemas {\nalignas(8) inline constexpr char " + constant +
         "_bytes[] =\n    " + literal(bytes) + ";\ninline constexpr std::string_view " + constant + "{" + constant +
         "_bytes, " + std::to_string(bytes.size()) + "};\n}  // namespace amphibus::wire::binary_schemas\n\n";
}

/// The largest alignment of anything that the table reaches; 8 unless a struct has `force_align`.
int alignment_of(const reflection::Schema& schema, const reflection::Object& object, std::set<std::string>& seen) {
  int out = std::max(8, object.minalign());
  if (!seen.insert(object.name()->str()).second) return out;
  for (const reflection::Field* field : *object.fields()) {
    const reflection::KeyValue* const forced =
        field->attributes() == nullptr ? nullptr : field->attributes()->LookupByKey("force_align");
    if (forced != nullptr) out = std::max(out, std::atoi(forced->value()->c_str()));
    const reflection::Type& type = *field->type();
    const auto kind = type.base_type() == reflection::Vector ? type.element() : type.base_type();
    if (type.index() < 0) continue;
    const auto index = static_cast<flatbuffers::uoffset_t>(type.index());
    if (kind == reflection::Obj) out = std::max(out, alignment_of(schema, *schema.objects()->Get(index), seen));
    if (kind != reflection::Union) continue;
    for (const reflection::EnumVal* each : *schema.enums()->Get(index)->values()) {
      if (each->union_type() == nullptr || each->union_type()->index() < 0) continue;
      const auto member = static_cast<flatbuffers::uoffset_t>(each->union_type()->index());
      out = std::max(out, alignment_of(schema, *schema.objects()->Get(member), seen));
    }
  }
  return out;
}

std::string codec_of(const reflection::Schema& schema, const reflection::Object& table, const std::string& constant) {
  const std::string type = cpp_name(table.name()->str());
  std::set<std::string> reached;
  return "template <>\nstruct amphibus::wire::table_traits<" + type +
         "> {\n  static constexpr std::string_view type_name = \"" + table.name()->str() +
         "\";\n  static constexpr std::uint16_t major = " + std::to_string(major_of(table)) +
         ";\n  static constexpr std::uint64_t schema_hash = " + std::to_string(hash(canonical_text(schema).of(table))) +
         "U;\n  static constexpr std::string_view binary_schema = binary_schemas::" + constant +
         ";\n  static constexpr std::size_t alignment = " + std::to_string(alignment_of(schema, table, reached)) +
         ";\n};\ntemplate <>\nstruct amphibus::codec<" + type + "T> : amphibus::wire::flatbuffers_codec<" + type +
         "T> {};\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: amphibus_schemac SCHEMA.bfbs GENERATED.h OUT.h");
  const std::string bytes = read_file(argv[1]);
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (!reflection::VerifySchemaBuffer(verifier)) fail(std::string(argv[1]) + " is not a binary schema");
  const reflection::Schema& schema = *reflection::GetSchema(bytes.data());
  std::string out =
      "// Generated by amphibus_schemac; do not edit.\n#pragma once\n\n#include "
      "<amphibus/wire/flatbuffers.hpp>\n\n#include \"" +
      std::string(argv[2]) + "\"\n\n";
  const std::string constant = schema_constant(bytes);
  out += definition_of(constant, bytes);
  for (const reflection::Object* each : *schema.objects()) {
    if (!each->is_struct()) out += codec_of(schema, *each, constant);
  }
  std::ofstream(argv[3], std::ios::binary) << out;
  return 0;
}
