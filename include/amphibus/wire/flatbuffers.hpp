#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstdint>
#include <span>

#include <amphibus/wire/codec.hpp>

/// FlatBuffers object API as a codec. Included by what amphibus_add_schemas() generates; not by <amphibus/bus.hpp>.
namespace amphibus::wire {

/// Deeper tables than this are refused on arrival; FlatBuffers' own default of 64 costs milliseconds on hostile input.
inline constexpr flatbuffers::uoffset_t flatbuffers_depth_max = 32;

/// Encodes with Pack, verifies with tight limits, decodes with UnPackTo into a fresh object (2.0.8 merges otherwise).
///
/// `Native` is the object-API struct, e.g. OrderT. Thread: safe. Allocates: encode only until the thread's builder has
/// reached its largest message.
template <class Native>
struct flatbuffers_codec {
  using table_type = typename Native::TableType;

  static bool encode(const Native& from, byte_writer& out) {
    static thread_local flatbuffers::FlatBufferBuilder builder;
    builder.Clear();
    builder.Finish(table_type::Pack(builder, &from));
    out.append(builder.GetBufferPointer(), builder.GetSize());
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, Native& into) {
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
    if (bytes.size() < sizeof(flatbuffers::uoffset_t) || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return false;
    const auto tables_max = static_cast<flatbuffers::uoffset_t>(bytes.size() / 4 + 16);
    flatbuffers::Verifier verifier(begin, bytes.size(), flatbuffers_depth_max, tables_max);
    if (!verifier.VerifyBuffer<table_type>(nullptr)) return false;
    flatbuffers::GetRoot<table_type>(begin)->UnPackTo(&into);
    return true;
  }
};

}  // namespace amphibus::wire
