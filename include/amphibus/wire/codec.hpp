#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

#include <amphibus/wire/byte_writer.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// How a type leaves the process: specialise it for your type, visible where the topic constant is defined.
///
/// ```cpp
/// struct order { int id; int pence; };
/// template <> struct amphibus::codec<order> {
///   static constexpr std::string_view type_name = "shop.order";   // the same in every program
///   static constexpr std::uint16_t major = 1;                     // equal majors can read each other
///   static constexpr std::uint64_t schema_hash = 0x5a17;          // exact layout; informs, does not refuse
///   static bool encode(const order&, amphibus::wire::byte_writer& out);      // false: cannot be expressed
///   static bool decode(std::span<const std::byte> bytes, order& into);       // false: refused; never trusts `bytes`
/// };
/// ```
/// A codec may also have `static constexpr std::string_view binary_schema`: the FlatBuffers .bfbs that describes what
/// it writes, for programs that show messages they were not built with. `bytes` is 8-aligned. `into` is
/// default-constructed. Both run on a transport's thread and must not publish; what they throw counts as `false`.
template <class T>
struct codec;

template <class T>
concept has_codec = std::default_initializable<T> &&
    requires(const T& value, T& into, wire::byte_writer& out, std::span<const std::byte> bytes) {
  { codec<T>::type_name } -> std::convertible_to<std::string_view>;
  { codec<T>::major } -> std::convertible_to<std::uint16_t>;
  { codec<T>::schema_hash } -> std::convertible_to<std::uint64_t>;
  { codec<T>::encode(value, out) } -> std::same_as<bool>;
  { codec<T>::decode(bytes, into) } -> std::same_as<bool>;
};

namespace wire {

/// A codec without its type: what a topic constant captures and a transport sees.
struct codec_operations {
  std::string_view type_name;
  std::uint16_t major;
  std::uint64_t schema_hash;
  bool (*encode)(const void* value, byte_writer& out);
  bool (*decode)(std::span<const std::byte> bytes, void* into);
  std::string_view binary_schema = {};  ///< what the codec writes, as FlatBuffers .bfbs; empty: not known
};

/// Runs one side of a codec; what it throws is a refusal, because the thread is the transport's.
template <class Call>
bool contained(Call call) noexcept {
  try {
    return call();
  } catch (...) {
    return false;
  }
}

/// The binary schema of T's codec; empty where it has none.
template <class T>
constexpr std::string_view binary_schema_of() noexcept {
  if constexpr (requires { codec<T>::binary_schema; }) {
    return codec<T>::binary_schema;
  } else {
    return {};
  }
}

template <has_codec T>
inline constexpr codec_operations codec_operations_of{
    codec<T>::type_name,
    codec<T>::major,
    codec<T>::schema_hash,
    [](const void* value, byte_writer& out) {
      return contained([&] { return codec<T>::encode(*static_cast<const T*>(value), out); });
    },
    [](std::span<const std::byte> bytes, void* into) {
      return contained([&] { return codec<T>::decode(bytes, *static_cast<T*>(into)); });
    },
    binary_schema_of<T>()};

/// The operations of T's codec, or nullptr where none is visible.
template <class T>
constexpr const codec_operations* find_codec() noexcept {
  if constexpr (has_codec<T>) {
    return &codec_operations_of<T>;
  } else {
    return nullptr;
  }
}

}  // namespace wire
}  // namespace amphibus
#pragma GCC visibility pop
