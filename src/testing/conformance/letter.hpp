#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <amphibus/owned_bytes.hpp>
#include <amphibus/topic.hpp>
#include <amphibus/testing/history.hpp>

namespace amphibus::testing {

/// Travels in a pooled block and has a body of any size.
struct letter {
  message_name name;
  std::uint32_t hops = 0;  ///< how many answers it still asks for
  std::vector<std::byte> body;
};

/// Travels in the slot itself.
struct note {
  std::uint64_t number = 0;
  std::uint32_t writer = 0;
  std::uint32_t hops = 0;
  std::uint64_t seal = 0;  ///< says whether the rest is intact
};

/// The body that this message has to have: bytes of every value, another run for every message.
std::vector<std::byte> body_of(message_name name, std::size_t size_bytes);

letter make(message_name name, std::size_t size_bytes, std::uint32_t hops, const letter* kind);
note make(message_name name, std::size_t size_bytes, std::uint32_t hops, const note* kind);
/// A message of that name; `size_bytes` of body where the type has one.
template <class T>
T make(message_name name, std::size_t size_bytes = 0, std::uint32_t hops = 0) {
  return make(name, size_bytes, hops, static_cast<const T*>(nullptr));
}

inline message_name name_of(const letter& of) { return of.name; }
inline message_name name_of(const note& of) { return {of.writer, of.number}; }
bool intact(const letter& what);
bool intact(const note& what);

}  // namespace amphibus::testing

template <>
struct amphibus::owned_bytes<amphibus::testing::letter> {
  static std::size_t of(const testing::letter& from) noexcept { return from.body.size(); }
};

template <>
struct amphibus::codec<amphibus::testing::letter> {
  static constexpr std::string_view type_name = "amphibus.testing.letter";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 0x1e77e5;
  static bool encode(const testing::letter& from, wire::byte_writer& out);
  static bool decode(std::span<const std::byte> bytes, testing::letter& into);
};

template <>
struct amphibus::codec<amphibus::testing::note> {
  static constexpr std::string_view type_name = "amphibus.testing.note";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 0x0c7e;
  static bool encode(const testing::note& from, wire::byte_writer& out);
  static bool decode(std::span<const std::byte> bytes, testing::note& into);
};

namespace amphibus::testing {
// Two routes; names that are beginnings of each other, because a transport may filter by prefix.
inline constexpr topic<letter> letters{"conformance.main.letters"};
inline constexpr topic<letter> letters_below{"conformance.main.letters.below"};
inline constexpr topic<letter> letters_longer{"conformance.main.letters-longer"};
inline constexpr topic<letter> answers{"conformance.main.answers"};
inline constexpr topic<note> notes{"conformance.main.notes"};
inline constexpr topic<note> kept_notes{"conformance.main.kept", retain::history(16'384)};
inline constexpr topic<note> replies{"conformance.main.replies"};
inline constexpr topic<note> endings{"conformance.main.endings"};
inline constexpr topic<note> side_notes{"conformance.side.notes"};
inline constexpr const char* main_route = "conformance.main.>";
inline constexpr const char* side_route = "conformance.side.>";
}  // namespace amphibus::testing
