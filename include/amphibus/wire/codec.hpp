#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
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
/// `bytes` is 8-aligned. `into` is default-constructed. Both run on a transport's thread and must not publish; what
/// they throw counts as `false`. Optional besides:
///
/// `static constexpr std::string_view binary_schema`: the FlatBuffers .bfbs that describes what it writes, for programs
/// that show messages they were not built with.
///
/// `static std::size_t size_hint(const order&)`: about how many bytes encode() will append, so that a large message
/// that is appended piece by piece does not grow its buffer again and again. Never trusted: above 16 MiB it is ignored,
/// and encode() may append more or less.
///
/// `static bool decode(std::span<const std::byte> bytes, amphibus::wire::shared_buffer& owner, order& into)`: the same
/// as decode(), for a type that does not copy its bytes: `into` may hold an amphibus::wire::buffer_reference to
/// `owner`, and the bytes stay as they are as long as it does.
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

class shared_buffer;

/// Values of one type in memory, each `stride` bytes after the one before.
struct value_run {
  const std::byte* first = nullptr;
  std::size_t stride = 0;
  std::size_t count = 0;
  [[nodiscard]] const void* operator[](std::size_t which) const noexcept { return first + which * stride; }
  [[nodiscard]] value_run without(std::size_t some) const noexcept {
    return {first + some * stride, stride, count - some};
  }
};

/// What a message of a batch begins with (docs/wire.md); its context, if it has one, and its payload follow.
struct message_prefix {
  std::uint32_t payload_size_bytes;
  std::uint32_t context_kind;
};

/// How far to go, and with what prefix.
struct run_limits {
  std::uint32_t context_kind;  ///< of one that has no context
  std::size_t payload_size_max_bytes;
  std::size_t until_size_bytes;  ///< no message begins where the buffer has so many
};

/// The largest codec<T>::size_hint() that is believed.
inline constexpr std::size_t size_hint_max_bytes = std::size_t{16} << 20U;

/// A codec without its type: what a topic constant captures and a transport sees.
struct codec_operations {
  std::string_view type_name;
  std::uint16_t major;
  std::uint64_t schema_hash;
  bool (*encode)(const void* value, byte_writer& out);
  bool (*decode)(std::span<const std::byte> bytes, void* into);
  std::string_view binary_schema = {};  ///< what the codec writes, as FlatBuffers .bfbs; empty: not known
  /// The same as decode for bytes that `owner` owns, if it is not null; null: the codec keeps nothing.
  bool (*decode_owned)(std::span<const std::byte> bytes, shared_buffer* owner, void* into) = nullptr;
  /// Appends messages without context, prefix and padded payload each, until one is refused or the limit is reached;
  /// null: encode each. Returns: how many.
  std::size_t (*encode_run)(const value_run& values, byte_writer& out, const run_limits& limits) = nullptr;

  /// Decodes what arrived. `owner`: of the bytes, null if they end with the call.
  [[nodiscard]] bool decode_received(std::span<const std::byte> bytes, shared_buffer* owner, void* into) const {
    if (decode_owned != nullptr) [[unlikely]]
      return decode_owned(bytes, owner, into);
    return decode(bytes, into);
  }
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

/// The decode_owned of T's codec; null where it has none.
template <class T>
constexpr auto owned_decode_of() noexcept -> bool (*)(std::span<const std::byte>, shared_buffer*, void*) {
  constexpr bool keeps = requires(std::span<const std::byte> bytes, shared_buffer & owner, T & into) {
    { codec<T>::decode(bytes, owner, into) } -> std::same_as<bool>;
  };
  if constexpr (keeps) {
    return [](std::span<const std::byte> bytes, shared_buffer* owner, void* into) {
      T& to = *static_cast<T*>(into);
      return contained(
          [&] { return owner == nullptr ? codec<T>::decode(bytes, to) : codec<T>::decode(bytes, *owner, to); });
    };
  } else {
    return nullptr;
  }
}

template <class T>
bool encode_with_codec(const T& from, byte_writer& out) {
  if constexpr (requires {
                  { codec<T>::size_hint(from) } -> std::convertible_to<std::size_t>;
                }) {
    const std::size_t hint = codec<T>::size_hint(from);
    if (hint <= size_hint_max_bytes) out.reserve(hint);
  }
  return codec<T>::encode(from, out);
}

/// Appends one message without context whose payload `encode(out)` appends. Returns: false, with nothing appended, if
/// that refuses it or it is too large.
template <class Encode>
[[nodiscard]] bool append_message(byte_writer& out, const run_limits& limits, const Encode& encode) {
  const std::size_t begin = out.size();
  out.extend(sizeof(message_prefix));
  const bool encoded = encode(out);
  const std::size_t size = out.size() - begin - sizeof(message_prefix);
  if (!encoded || size > limits.payload_size_max_bytes) return out.truncate(begin), false;
  const message_prefix prefix{static_cast<std::uint32_t>(size), limits.context_kind};
  out.overwrite(begin, &prefix, sizeof prefix);
  out.pad(8);
  return true;
}

/// The encode_run of T's codec: one loop with everything inside.
template <class T>
[[gnu::flatten]] std::size_t encode_run_with_codec(const value_run& values, byte_writer& out,
                                                   const run_limits& limits) {
  std::size_t count = 0;
  const auto encode_next = [&](byte_writer& to) {
    return contained([&] { return encode_with_codec(*static_cast<const T*>(values[count]), to); });
  };
  while (count != values.count && out.size() < limits.until_size_bytes && append_message(out, limits, encode_next)) {
    ++count;
  }
  return count;
}

template <has_codec T>
inline constexpr codec_operations codec_operations_of{
    codec<T>::type_name,
    codec<T>::major,
    codec<T>::schema_hash,
    [](const void* value, byte_writer& out) {
      return contained([&] { return encode_with_codec(*static_cast<const T*>(value), out); });
    },
    [](std::span<const std::byte> bytes, void* into) {
      return contained([&] { return codec<T>::decode(bytes, *static_cast<T*>(into)); });
    },
    binary_schema_of<T>(),
    owned_decode_of<T>(),
    &encode_run_with_codec<T>};

/// The operations of T's codec, or nullptr where none is visible.
template <class T>
constexpr const codec_operations* find_codec() noexcept {
  if constexpr (has_codec<T>) {
    return &codec_operations_of<T>;
  } else {
    // A codec that is not one would be found out at the start of the program, as if there were none.
    constexpr bool specialised = requires { sizeof(codec<T>); };
    static_assert(!specialised,
                  "this amphibus::codec is not complete: it needs type_name, major, schema_hash, bool encode(const T&, "
                  "amphibus::wire::byte_writer&), bool decode(std::span<const std::byte>, T&), all static and public, "
                  "and a T with a default constructor");
    return nullptr;
  }
}

}  // namespace wire
}  // namespace amphibus
#pragma GCC visibility pop
