#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstdint>
#include <span>
#include <string_view>

#include <amphibus/wire/codec.hpp>
#include <amphibus/wire/flatbuffers_unpacked.hpp>

#pragma GCC visibility push(default)
/// FlatBuffers object API as a codec. Included by what amphibus_add_schemas() generates; not by <amphibus/bus.hpp>.
namespace amphibus::wire {

/// Deeper tables than this are refused on arrival; FlatBuffers' own default of 64 costs milliseconds on hostile input.
inline constexpr flatbuffers::uoffset_t flatbuffers_depth_max = 32;

/// What the schema says of the FlatBuffers table class `Table`; amphibus_add_schemas() generates a specialisation for
/// each:
///
/// ```cpp
/// #include <amphibus/wire/flatbuffers.hpp>
/// struct Order;   // stands for the class that flatc makes of a table
/// template <>
/// struct amphibus::wire::table_traits<Order> {
///   static constexpr std::string_view type_name = "shop.Order";   // full name, the same in every program
///   static constexpr std::uint16_t major = 2;                     // the table's attribute, 1 without it
///   static constexpr std::uint64_t schema_hash = 0x5a17;          // of the table and all that it reaches
///   static constexpr std::string_view binary_schema = "...";      // the .bfbs of its schema file, of all its tables
///   static constexpr std::size_t alignment = 8;                   // of the bytes, to be read in place; optional
///   static constexpr std::string_view topic = "shop.orders";      // the table's attribute; optional
///   static constexpr std::string_view key = "id";                 // the field with the attribute `key`; optional
/// };
/// ```
/// `binary_schema` describes the table to programs that were not built with it; its bytes are
/// 8-aligned and live as long as the program.
template <class Table>
struct table_traits;

/// True if `bytes` are a whole `Table` that can be read without looking again: what every codec asks of bytes from
/// outside. Missing required fields, offsets that leave the bytes, and too much nesting are refused; numbers that the
/// schema's enumerations and unions do not know are not, because a newer program of the same major may know them.
template <class Table>
[[nodiscard]] bool verify_table(std::span<const std::byte> bytes,
                                flatbuffers::uoffset_t depth_max = flatbuffers_depth_max) {
  if (bytes.size() < sizeof(flatbuffers::uoffset_t) || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return false;
  const auto tables_max = static_cast<flatbuffers::uoffset_t>(bytes.size() / 4 + 16);
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), depth_max,
                                 tables_max);
  return verifier.VerifyBuffer<Table>(nullptr);
}

/// Encodes with Pack, verifies with tight limits, decodes with UnPackTo into a fresh object (2.0.8 merges otherwise).
///
/// `Native` is the object-API struct, e.g. OrderT. Thread: safe. Allocates: encode only until the thread's builder has
/// reached its largest message.
template <class Native>
struct flatbuffers_codec {
  using table_type = typename Native::TableType;
  using traits = table_traits<table_type>;
  static constexpr std::string_view type_name = traits::type_name;
  static constexpr std::uint16_t major = traits::major;
  static constexpr std::uint64_t schema_hash = traits::schema_hash;
  static constexpr std::string_view binary_schema = traits::binary_schema;

  static bool encode(const Native& from, byte_writer& out) {
    static thread_local flatbuffers::FlatBufferBuilder builder;
    builder.Clear();
    builder.Finish(table_type::Pack(builder, &from));
    out.append(builder.GetBufferPointer(), builder.GetSize());
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, Native& into) {
    const auto verify = [](std::span<const std::byte> all) { return verify_table<table_type>(all); };
    return verify(bytes) && unpack<table_type>(bytes, into, verify);
  }
};

}  // namespace amphibus::wire
#pragma GCC visibility pop
