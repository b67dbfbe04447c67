#include "message_json.hpp"

#include <flatbuffers/reflection.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "json_text.hpp"

namespace amphibus::cli {
namespace {

using reflection::BaseType;

/// What is wrong somewhere below; the text so far is worth nothing.
struct unreadable {};

/// Reads that never leave the bytes.
class checked_bytes {
 public:
  explicit checked_bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  [[nodiscard]] T at(std::size_t position) const {
    T value;
    std::memcpy(&value, view(position, sizeof value).data(), sizeof value);
    return value;
  }
  [[nodiscard]] std::span<const std::byte> view(std::size_t position, std::size_t size) const {
    if (position > bytes_.size() || size > bytes_.size() - position) throw unreadable{};
    return bytes_.subspan(position, size);
  }
  /// Where the offset at `position` leads.
  [[nodiscard]] std::size_t follow(std::size_t position) const { return position + at<std::uint32_t>(position); }
  /// Where a field of a table is; 0: it is absent.
  [[nodiscard]] std::size_t field(std::size_t table, std::size_t entry) const {
    const auto to_vtable = at<std::int32_t>(table);
    const std::int64_t vtable = static_cast<std::int64_t>(table) - to_vtable;
    if (vtable < 0) throw unreadable{};
    const auto begin = static_cast<std::size_t>(vtable);
    if (entry + 2 > at<std::uint16_t>(begin)) return 0;
    const auto offset = at<std::uint16_t>(begin + entry);
    return offset == 0 ? 0 : table + offset;
  }

 private:
  std::span<const std::byte> bytes_;
};

/// Writes one message.
class json_writer {
 public:
  json_writer(const reflection::Schema& schema, std::span<const std::byte> message)
      : schema_(schema), bytes_(message) {}

  std::string write(const reflection::Object& root) {
    table(root, bytes_.follow(0), 0);
    return std::move(out_);
  }

 private:
  template <class List>
  static const auto& entry(const List* list, std::int64_t index) {
    if (list == nullptr || index < 0 || index >= static_cast<std::int64_t>(list->size())) throw unreadable{};
    return *list->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  static std::vector<const reflection::Field*> in_order(const reflection::Object& of) {
    std::vector<const reflection::Field*> out(of.fields()->begin(), of.fields()->end());
    std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->id() < b->id(); });
    return out;
  }

  void add(std::string_view text) {
    if (out_.size() + text.size() > json_size_max_bytes) throw unreadable{};
    out_ += text;
  }
  void begin_member(const reflection::Field& field) {
    if (out_.back() != '{') add(",");
    add(json_string(field.name()->string_view()));
    add(":");
  }

  void table(const reflection::Object& type, std::size_t position, std::size_t depth) {
    if (depth > json_depth_max) throw unreadable{};
    add("{");
    for (const reflection::Field* each : in_order(type)) member(*each, position, depth);
    add("}");
  }

  void member(const reflection::Field& field, std::size_t table_position, std::size_t depth) {
    const std::size_t position = bytes_.field(table_position, field.offset());
    const BaseType base = field.type()->base_type();
    if (flatbuffers::IsScalar(base) && position == 0) {
      if (field.optional()) return;
      begin_member(field);
      return flatbuffers::IsFloat(base) ? real(field.default_real()) : integer(field.default_integer(), *field.type());
    }
    if (position == 0) return;
    begin_member(field);
    if (base != BaseType::Union) return value(*field.type(), base, position, depth);
    // The number of a union's member lies in the field before it.
    const std::size_t number = bytes_.field(table_position, field.offset() - sizeof(std::uint16_t));
    union_member(*field.type(), number == 0 ? 0 : bytes_.at<std::uint8_t>(number), bytes_.follow(position), depth);
  }

  void structure(const reflection::Object& type, std::size_t position, std::size_t depth) {
    if (depth > json_depth_max) throw unreadable{};
    add("{");
    for (const reflection::Field* each : in_order(type)) {
      begin_member(*each);
      value(*each->type(), each->type()->base_type(), position + each->offset(), depth);
    }
    add("}");
  }

  void object(const reflection::Type& type, std::size_t position, std::size_t depth) {
    const auto& of = entry(schema_.objects(), type.index());
    of.is_struct() ? structure(of, position, depth + 1) : table(of, bytes_.follow(position), depth + 1);
  }

  void union_member(const reflection::Type& type, unsigned number, std::size_t position, std::size_t depth) {
    const auto* const values = entry(schema_.enums(), type.index()).values();
    const auto known = std::find_if(values->begin(), values->end(), [number](const auto* each) {
      return each->value() == static_cast<std::int64_t>(number) && each->union_type() != nullptr;
    });
    if (number == 0 || known == values->end()) return add("null");  // of a later version
    const reflection::Type& member = *known->union_type();
    if (member.base_type() == BaseType::String) return string(position);
    if (member.base_type() != BaseType::Obj) throw unreadable{};
    const auto& of = entry(schema_.objects(), member.index());
    of.is_struct() ? structure(of, position, depth + 1) : table(of, position, depth + 1);
  }

  void value(const reflection::Type& type, BaseType base, std::size_t position, std::size_t depth) {
    switch (base) {
      case BaseType::String: return string(bytes_.follow(position));
      case BaseType::Obj: return object(type, position, depth);
      case BaseType::Vector: return vector(type, bytes_.follow(position), depth);
      case BaseType::Array: return elements(type, position, type.fixed_length(), depth);
      case BaseType::Float: return real(static_cast<double>(bytes_.at<float>(position)));
      case BaseType::Double: return real(bytes_.at<double>(position));
      case BaseType::ULong: return add(std::to_string(bytes_.at<std::uint64_t>(position)));
      default: return integer(integer_at(base, position), type);
    }
  }

  [[nodiscard]] std::int64_t integer_at(BaseType base, std::size_t position) const {
    switch (base) {
      case BaseType::UType:
      case BaseType::Bool:
      case BaseType::UByte: return bytes_.at<std::uint8_t>(position);
      case BaseType::Byte: return bytes_.at<std::int8_t>(position);
      case BaseType::Short: return bytes_.at<std::int16_t>(position);
      case BaseType::UShort: return bytes_.at<std::uint16_t>(position);
      case BaseType::Int: return bytes_.at<std::int32_t>(position);
      case BaseType::UInt: return bytes_.at<std::uint32_t>(position);
      case BaseType::Long: return bytes_.at<std::int64_t>(position);
      default: throw unreadable{};
    }
  }

  void integer(std::int64_t value, const reflection::Type& type) {
    const bool list = type.base_type() == BaseType::Vector || type.base_type() == BaseType::Array;
    const BaseType base = list ? type.element() : type.base_type();
    if (base == BaseType::Bool) return add(value == 0 ? "false" : "true");
    if (type.index() >= 0) {
      for (const auto* each : *entry(schema_.enums(), type.index()).values()) {
        if (each->value() == value) return add(json_string(each->name()->string_view()));
      }
    }
    add(base == BaseType::ULong ? std::to_string(static_cast<std::uint64_t>(value)) : std::to_string(value));
  }

  void real(double value) {
    if (std::isnan(value)) return add("\"NaN\"");
    if (std::isinf(value)) return add(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.9g", value);
    if (std::strtod(text.data(), nullptr) != value) std::snprintf(text.data(), text.size(), "%.17g", value);
    add(text.data());
  }

  void string(std::size_t position) {
    const auto bytes = bytes_.view(position + 4, bytes_.at<std::uint32_t>(position));
    add(json_string({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }

  void vector(const reflection::Type& type, std::size_t position, std::size_t depth) {
    elements(type, position + 4, bytes_.at<std::uint32_t>(position), depth);
  }

  void elements(const reflection::Type& type, std::size_t position, std::size_t count, std::size_t depth) {
    const BaseType element = type.element();
    if (element == BaseType::Vector || element == BaseType::Array || element == BaseType::Union) throw unreadable{};
    const std::size_t size = size_of(type);
    add("[");
    for (std::size_t i = 0; i != count; ++i) {
      if (i != 0) add(",");
      value(type, element, position + i * size, depth);
    }
    add("]");
  }

  [[nodiscard]] std::size_t size_of(const reflection::Type& list) const {
    if (list.element() == BaseType::String) return sizeof(flatbuffers::uoffset_t);
    if (flatbuffers::IsScalar(list.element())) return flatbuffers::GetTypeSize(list.element());
    if (list.element() != BaseType::Obj) throw unreadable{};
    const auto& of = entry(schema_.objects(), list.index());
    return of.is_struct() ? static_cast<std::size_t>(of.bytesize()) : sizeof(flatbuffers::uoffset_t);
  }

  const reflection::Schema& schema_;
  const checked_bytes bytes_;
  std::string out_;
};

const reflection::Object* find_table(const reflection::Schema& in, std::string_view name) {
  for (const reflection::Object* each : *in.objects()) {
    if (!each->is_struct() && each->name()->string_view() == name) return each;
  }
  return nullptr;
}

}  // namespace

struct message_json::schema {
  std::string bytes;
  const reflection::Object* root;
};

std::optional<message_json> message_json::open(std::string_view binary_schema, std::string_view type_name) {
  auto kept = std::make_shared<schema>(schema{std::string(binary_schema), nullptr});
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(kept->bytes.data());
  const auto tables_max = static_cast<flatbuffers::uoffset_t>(kept->bytes.size() / 4 + 16);
  flatbuffers::Verifier verifier(begin, kept->bytes.size(), json_depth_max, tables_max);
  if (kept->bytes.size() < 8 || !reflection::VerifySchemaBuffer(verifier)) return std::nullopt;
  kept->root = find_table(*reflection::GetSchema(begin), type_name);
  if (kept->root == nullptr) return std::nullopt;
  return message_json(std::move(kept));
}

std::optional<std::string> message_json::text_of(std::span<const std::byte> message) const {
  try {
    return json_writer(*reflection::GetSchema(schema_->bytes.data()), message).write(*schema_->root);
  } catch (const unreadable&) {
    return std::nullopt;
  }
}

}  // namespace amphibus::cli
