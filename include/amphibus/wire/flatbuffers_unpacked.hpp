#pragma once

#include <flatbuffers/flatbuffers.h>
#include <flatbuffers/minireflect.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#pragma GCC visibility push(default)
/// What FlatBuffers' verifier lets through and its readers do not bear. Vectors of 8-byte numbers may lie at odd
/// addresses, which the verifier does not look at and a compiler takes for granted. Parts may be shared: 16 MiB of
/// offsets to one long text are terabytes when each offset gets a copy of its own. And a union may name a member that
/// is not there, which its generated code reads when the object is sent on. Needs flatc's --reflect-types.
namespace amphibus::wire {

/// A message of more bytes than this may become this many times larger …
inline constexpr std::size_t flatbuffers_growth_max = 32;
/// … and a smaller one as large as this.
inline constexpr std::size_t flatbuffers_unpacked_min_bytes = std::size_t{4} << 20U;
/// What fits here cannot share enough to become larger than that, so it is not looked at.
inline constexpr std::size_t flatbuffers_trusted_size_bytes = 1'024;

/// Adds up what the objects of a verified buffer take, until it is too much, refuses vectors whose elements do not lie
/// aligned, and finds unions without their member.
///
/// Follows no offset out of the buffer: the verifier does not look at deprecated fields, which type tables do not tell
/// apart. Thread: confined. Allocates: never. Lifetime: of the buffer.
class unpacked_size {
 public:
  /// `mended`: a copy of `buffer` in which a union that names a member and has none shall name none; null: such unions
  /// are only found. What is read is never written: fields of a hostile table may overlap.
  unpacked_size(std::span<const std::byte> buffer, std::size_t most, std::byte* mended = nullptr) noexcept
      : buffer_(buffer), left_(most), mended_(mended) {}

  [[nodiscard]] bool lacks_members() const noexcept { return lacks_members_; }
  /// Returns: false if `table` and all that it reaches take more than what is left, or have a list of unions or a
  /// vector of elements that do not lie aligned.
  bool add(const flatbuffers::Table& table, const flatbuffers::TypeTable& type) noexcept {
    if (depth_ == depth_max || !has_fields(reinterpret_cast<const std::uint8_t*>(&table))) return false;
    if (!take(type.num_elems * field_size_bytes)) return false;
    ++depth_;
    const std::uint8_t* before = nullptr;
    for (std::size_t i = 0; i != type.num_elems; ++i) {
      const auto at = flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(i));
      const std::uint8_t* const value = table.GetAddressOf(at);
      const flatbuffers::TypeCode code = type.type_codes[i];
      if (value != nullptr && (!lies_inside(value, 1) || !add_field(value, before, code, type))) return false;
      if (value == nullptr && lacks_member(before, code, type)) note_lack(before);
      before = value;
    }
    --depth_;
    return true;
  }
  /// Of the elements of a vector: 1 for those that are offsets, which the verifier looks at.
  static std::size_t alignment_of_elements(flatbuffers::TypeCode code, const flatbuffers::TypeTable* ref) noexcept {
    const auto type = static_cast<flatbuffers::ElementaryType>(code.base_type);
    const bool fixed = type != flatbuffers::ET_STRING && (type != flatbuffers::ET_SEQUENCE || is_struct(ref));
    return fixed ? alignment_of(type, ref) : 1;
  }

 private:
  static constexpr std::size_t field_size_bytes = 16;  // of an object, about
  static constexpr std::size_t text_size_bytes = 32;   // std::string
  static constexpr int depth_max = 64;                 // of what the verifier does not look at

  bool lies_inside(const std::uint8_t* at, std::size_t size) const noexcept {
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer_.data());
    const std::size_t from = reinterpret_cast<std::uintptr_t>(at) - begin;  // more than the buffer where it is before
    return from <= buffer_.size() && size <= buffer_.size() - from;
  }
  /// Whether a table's list of fields can be read.
  bool has_fields(const std::uint8_t* table) const noexcept {
    if (!lies_inside(table, sizeof(flatbuffers::soffset_t))) return false;
    const std::uint8_t* const fields = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
    if (!lies_inside(fields, sizeof(flatbuffers::voffset_t))) return false;
    const auto size = flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields);
    return size % sizeof(flatbuffers::voffset_t) == 0 && lies_inside(fields, size);
  }
  /// Returns: where the offset leads, at least four bytes of the buffer; null if it leads out of it.
  const std::uint8_t* follow(const std::uint8_t* offset) const noexcept {
    if (!lies_inside(offset, sizeof(flatbuffers::uoffset_t))) return nullptr;
    const std::uint8_t* const there = offset + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(offset);
    return lies_inside(there, sizeof(flatbuffers::uoffset_t)) ? there : nullptr;
  }
  bool take(std::size_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  void note_lack(const std::uint8_t* member) noexcept {
    lacks_members_ = true;
    if (mended_ != nullptr) mended_[reinterpret_cast<const std::byte*>(member) - buffer_.data()] = std::byte{0};
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
    return text != nullptr && take(text_size_bytes + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(text));
  }
  /// `before`: the field before this one, which for a union holds its types.
  bool add_field(const std::uint8_t* value, const std::uint8_t* before, flatbuffers::TypeCode code,
                 const flatbuffers::TypeTable& of) noexcept {
    const auto type = static_cast<flatbuffers::ElementaryType>(code.base_type);
    const auto* const ref = code.sequence_ref >= 0 ? of.type_refs[code.sequence_ref]() : nullptr;
    const bool fixed = type != flatbuffers::ET_STRING && (type != flatbuffers::ET_SEQUENCE || is_struct(ref));
    if (code.is_repeating == 0) return fixed || add_one(value, type, ref, before == nullptr ? 0 : *before);
    const std::uint8_t* const vector = follow(value);
    if (vector == nullptr) return false;
    const auto& elements = *reinterpret_cast<const flatbuffers::Vector<std::uint8_t>*>(vector);
    const std::size_t each = flatbuffers::InlineSize(type, ref);
    if (!take(elements.size() * std::max<std::size_t>(each, fixed ? 1 : 8))) return false;
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer_.data());
    if (fixed)
      return (reinterpret_cast<std::uintptr_t>(elements.Data()) - begin) % alignment_of_elements(code, ref) == 0;
    if (is_union(ref)) return false;  // amphibus_add_schemas() lets none through
    for (flatbuffers::uoffset_t i = 0; i != elements.size(); ++i) {
      if (!add_one(elements.Data() + i * each, type, ref, 0)) return false;
    }
    return true;
  }
  /// What an offset leads to.
  bool add_one(const std::uint8_t* offset, flatbuffers::ElementaryType type, const flatbuffers::TypeTable* ref,
               std::uint8_t member) noexcept {
    if (type == flatbuffers::ET_STRING) return add_text(follow(offset));
    if (!is_union(ref)) return add_table(follow(offset), *ref);
    if (member == 0) return true;
    const std::int64_t found = position_of(member, *ref);
    if (found < 0) return true;
    const flatbuffers::TypeCode code = ref->type_codes[found];
    if (code.base_type == flatbuffers::ET_STRING) return add_text(follow(offset));
    if (code.sequence_ref < 0) return true;
    const auto* const type_of_member = ref->type_refs[code.sequence_ref]();
    if (is_struct(type_of_member)) return take(flatbuffers::InlineSize(flatbuffers::ET_SEQUENCE, type_of_member));
    return add_table(follow(offset), *type_of_member);
  }
  bool add_table(const std::uint8_t* at, const flatbuffers::TypeTable& type) noexcept {
    return at != nullptr && add(*reinterpret_cast<const flatbuffers::Table*>(at), type);
  }
  static bool is_struct(const flatbuffers::TypeTable* type) noexcept {
    return type != nullptr && type->st == flatbuffers::ST_STRUCT;
  }
  /// Of a number, or of a struct: that of its largest number.
  static std::size_t alignment_of(flatbuffers::ElementaryType type, const flatbuffers::TypeTable* ref) noexcept {
    if (!is_struct(ref)) return std::max<std::size_t>(flatbuffers::InlineSize(type, ref), 1);
    std::size_t out = 1;
    for (std::size_t i = 0; i != ref->num_elems; ++i) {
      const flatbuffers::TypeCode code = ref->type_codes[i];
      const auto* const part = code.sequence_ref >= 0 ? ref->type_refs[code.sequence_ref]() : nullptr;
      out = std::max(out, alignment_of(static_cast<flatbuffers::ElementaryType>(code.base_type), part));
    }
    return out;
  }
  static bool is_union(const flatbuffers::TypeTable* type) noexcept {
    return type != nullptr && type->st == flatbuffers::ST_UNION;
  }

  std::span<const std::byte> buffer_;
  int depth_ = 0;
  std::size_t left_;
  std::byte* mended_;
  bool lacks_members_ = false;
};

/// Whether messages of this type must be looked at however small they are: they may hold a union, or a vector of
/// elements that the verifier's 4 bytes do not align.
inline bool needs_look(const flatbuffers::TypeTable& type) {
  std::vector<const flatbuffers::TypeTable*> found{&type};
  for (std::size_t next = 0; next != found.size(); ++next) {
    const flatbuffers::TypeTable& here = *found[next];
    if (here.st == flatbuffers::ST_UNION) return true;
    for (std::size_t i = 0; i != here.num_elems; ++i) {
      const flatbuffers::TypeCode code = here.type_codes[i];
      const auto* const reached = code.sequence_ref >= 0 ? here.type_refs[code.sequence_ref]() : nullptr;
      if (code.is_repeating != 0 && unpacked_size::alignment_of_elements(code, reached) > 4) return true;
      if (reached == nullptr) continue;
      if (std::find(found.begin(), found.end(), reached) == found.end()) found.push_back(reached);
    }
  }
  return false;
}

/// Makes objects of a verified buffer if they are of a bearable size; unions that name a member and have none become
/// empty. `verify` says whether bytes are a whole Table: mending changes them, and fields of a hostile one may overlap.
template <class Table, class Native, class Verify>
[[nodiscard]] bool unpack(std::span<const std::byte> bytes, Native& into, Verify verify) {
  const auto* root = flatbuffers::GetRoot<Table>(bytes.data());
  std::vector<std::uint64_t> mended;
  if constexpr (requires { Table::MiniReflectTypeTable(); }) {
    const flatbuffers::TypeTable& type = *Table::MiniReflectTypeTable();
    static const bool always = needs_look(type);
    if (bytes.size() > flatbuffers_trusted_size_bytes || always) {
      const std::size_t most = std::max(bytes.size() * flatbuffers_growth_max, flatbuffers_unpacked_min_bytes);
      unpacked_size counted(bytes, most);
      if (!counted.add(reinterpret_cast<const flatbuffers::Table&>(*root), type)) return false;
      if (counted.lacks_members()) {
        mended.resize((bytes.size() + 7) / 8);
        const auto copy = std::as_writable_bytes(std::span(mended)).first(bytes.size());
        std::memcpy(copy.data(), bytes.data(), bytes.size());
        unpacked_size mending(bytes, most, copy.data());
        if (!mending.add(reinterpret_cast<const flatbuffers::Table&>(*root), type) || !verify(copy)) return false;
        root = flatbuffers::GetRoot<Table>(copy.data());
        unpacked_size recounted(copy, most);
        if (!recounted.add(reinterpret_cast<const flatbuffers::Table&>(*root), type)) return false;
        if (recounted.lacks_members()) return false;
      }
    }
  }
  root->UnPackTo(&into);
  return true;
}

}  // namespace amphibus::wire
#pragma GCC visibility pop
