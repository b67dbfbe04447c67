#pragma once

#include <flatbuffers/flatbuffers.h>
#include <flatbuffers/minireflect.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

/// What FlatBuffers' verifier lets through and its objects do not bear. Parts may be shared: 16 MiB of offsets to one
/// long text are terabytes when each offset gets a copy of its own. And a union may name a member that is not there, or
/// one in a list be none or of a newer schema: its generated code reads the one and asserts on the other when the
/// object is sent on. Needs flatc's --reflect-types.
namespace amphibus::wire {

/// A message of more bytes than this may become this many times larger …
inline constexpr std::size_t flatbuffers_growth_max = 32;
/// … and a smaller one as large as this.
inline constexpr std::size_t flatbuffers_unpacked_min_bytes = std::size_t{4} << 20U;
/// What fits here cannot share enough to become larger than that, so it is not looked at.
inline constexpr std::size_t flatbuffers_trusted_size_bytes = 1'024;

/// Adds up what the objects of a verified buffer take, until it is too much, or a member of a union is missing.
///
/// Thread: confined. Allocates: never. Lifetime: of the buffer.
class unpacked_size {
 public:
  explicit unpacked_size(std::size_t most) noexcept : left_(most) {}

  /// Returns: false if `table` and all that it reaches take more than what is left, or lack a member.
  bool add(const flatbuffers::Table& table, const flatbuffers::TypeTable& type) noexcept {
    if (!take(type.num_elems * field_size_bytes)) return false;
    const std::uint8_t* before = nullptr;
    for (std::size_t i = 0; i != type.num_elems; ++i) {
      const auto at = flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(i));
      const std::uint8_t* const value = table.GetAddressOf(at);
      const flatbuffers::TypeCode code = type.type_codes[i];
      if (value != nullptr ? !add_field(value, before, code, type) : lacks_member(before, code, type)) return false;
      before = value;
    }
    return true;
  }

 private:
  static constexpr std::size_t field_size_bytes = 16;  // of an object, about
  static constexpr std::size_t text_size_bytes = 32;   // std::string

  static const std::uint8_t* follow(const std::uint8_t* offset) noexcept {
    return offset + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(offset);
  }
  bool take(std::size_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  /// A field that is not there: a union whose type, the field `before` it, says that it is.
  static bool lacks_member(const std::uint8_t* before, flatbuffers::TypeCode code,
                           const flatbuffers::TypeTable& of) noexcept {
    const bool one = code.base_type == flatbuffers::ET_SEQUENCE && code.is_repeating == 0 && code.sequence_ref >= 0;
    if (!one || before == nullptr || *before == 0) return false;
    const flatbuffers::TypeTable* const ref = of.type_refs[code.sequence_ref]();
    return is_union(ref) && position_of(*before, *ref) >= 0;
  }
  /// The place of a member in its union; negative: of a newer schema, which is not unpacked.
  static std::int64_t position_of(std::uint8_t member, const flatbuffers::TypeTable& of) noexcept {
    const std::int64_t found = flatbuffers::LookupEnum(member, of.values, of.num_elems);
    return found < static_cast<std::int64_t>(of.num_elems) ? found : -1;
  }
  bool add_text(const std::uint8_t* text) noexcept {
    return take(text_size_bytes + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(text));
  }
  /// `before`: the field before this one, which for a union holds its types.
  bool add_field(const std::uint8_t* value, const std::uint8_t* before, flatbuffers::TypeCode code,
                 const flatbuffers::TypeTable& of) noexcept {
    const auto type = static_cast<flatbuffers::ElementaryType>(code.base_type);
    const auto* const ref = code.sequence_ref >= 0 ? of.type_refs[code.sequence_ref]() : nullptr;
    const bool fixed = type != flatbuffers::ET_STRING && (type != flatbuffers::ET_SEQUENCE || is_struct(ref));
    if (code.is_repeating == 0) return fixed || add_one(value, type, ref, before == nullptr ? 0 : *before);
    const auto& elements = *reinterpret_cast<const flatbuffers::Vector<std::uint8_t>*>(follow(value));
    const std::size_t each = flatbuffers::InlineSize(type, ref);
    if (!take(elements.size() * std::max<std::size_t>(each, fixed ? 1 : 8))) return false;
    if (fixed) return true;
    const auto* const types =
        before == nullptr ? nullptr : reinterpret_cast<const flatbuffers::Vector<std::uint8_t>*>(follow(before));
    for (flatbuffers::uoffset_t i = 0; i != elements.size(); ++i) {
      const std::uint8_t member = types != nullptr && is_union(ref) && i < types->size() ? types->Get(i) : 0;
      if (is_union(ref) && (member == 0 || position_of(member, *ref) < 0)) return false;
      if (!add_one(elements.Data() + i * each, type, ref, member)) return false;
    }
    return true;
  }
  /// What an offset leads to.
  bool add_one(const std::uint8_t* offset, flatbuffers::ElementaryType type, const flatbuffers::TypeTable* ref,
               std::uint8_t member) noexcept {
    if (type == flatbuffers::ET_STRING) return add_text(follow(offset));
    if (!is_union(ref)) return add(*reinterpret_cast<const flatbuffers::Table*>(follow(offset)), *ref);
    if (member == 0) return true;
    const std::int64_t found = position_of(member, *ref);
    if (found < 0) return true;
    const flatbuffers::TypeCode code = ref->type_codes[found];
    if (code.base_type == flatbuffers::ET_STRING) return add_text(follow(offset));
    if (code.sequence_ref < 0) return true;
    const auto* const type_of_member = ref->type_refs[code.sequence_ref]();
    if (is_struct(type_of_member)) return take(flatbuffers::InlineSize(flatbuffers::ET_SEQUENCE, type_of_member));
    return add(*reinterpret_cast<const flatbuffers::Table*>(follow(offset)), *type_of_member);
  }
  static bool is_struct(const flatbuffers::TypeTable* type) noexcept {
    return type != nullptr && type->st == flatbuffers::ST_STRUCT;
  }
  static bool is_union(const flatbuffers::TypeTable* type) noexcept {
    return type != nullptr && type->st == flatbuffers::ST_UNION;
  }

  std::size_t left_;
};

/// Whether objects of this type may hold a union.
inline bool reaches_union(const flatbuffers::TypeTable& type) {
  std::vector<const flatbuffers::TypeTable*> found{&type};
  for (std::size_t next = 0; next != found.size(); ++next) {
    const flatbuffers::TypeTable& here = *found[next];
    if (here.st == flatbuffers::ST_UNION) return true;
    for (std::size_t i = 0; i != here.num_elems; ++i) {
      if (here.type_codes[i].sequence_ref < 0) continue;
      const auto* const reached = here.type_refs[here.type_codes[i].sequence_ref]();
      if (std::find(found.begin(), found.end(), reached) == found.end()) found.push_back(reached);
    }
  }
  return false;
}

/// Whether a verified buffer of that size becomes objects that are whole and of a bearable size.
template <class Table>
bool unpacks_well(const Table& root, std::size_t size_bytes) {
  if constexpr (requires { Table::MiniReflectTypeTable(); }) {
    const flatbuffers::TypeTable& type = *Table::MiniReflectTypeTable();
    static const bool has_unions = reaches_union(type);
    if (size_bytes <= flatbuffers_trusted_size_bytes && !has_unions) return true;
    unpacked_size counted(std::max(size_bytes * flatbuffers_growth_max, flatbuffers_unpacked_min_bytes));
    return counted.add(reinterpret_cast<const flatbuffers::Table&>(root), type);
  }
  return true;
}

}  // namespace amphibus::wire
