#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include <amphibus/wire/codec.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// Which values of an enumeration may arrive in an AMPHIBUS_POD, both ends included; specialise it above the POD:
///
/// ```cpp
/// enum class colour : unsigned char { red, green, blue };
/// template <> struct amphibus::enum_limits<colour> {
///   static constexpr colour first = colour::red, last = colour::blue;
/// };
/// ```
/// For flags, `last` is all of them together.
template <class Enum>
struct enum_limits;

/// The parts of AMPHIBUS_POD; nothing here is for direct use.
namespace wire {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian; add byte swaps for this machine");

/// The name of a field as a template argument, so that a compiler's message shows it.
template <std::size_t Size>
struct pod_name {
  char text[Size]{};
  consteval pod_name(const char (&name)[Size]) {  // NOLINT(google-explicit-constructor): a literal is a name
    for (std::size_t i = 0; i != Size; ++i) text[i] = name[i];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, Size - 1}; }
};

/// FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/): only has to change when the layout does.
struct pod_hash {
  std::uint64_t value = 0xcbf29ce484222325U;
  constexpr pod_hash& add(std::uint64_t number) noexcept {
    for (int byte = 0; byte != 8; ++byte) value = (value ^ ((number >> (8 * byte)) & 0xffU)) * 0x100000001b3U;
    return *this;
  }
  constexpr pod_hash& add(std::string_view text) noexcept {
    add(text.size());
    for (const char each : text) value = (value ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
    return *this;
  }
};

/// Numbers whose every bit pattern is a value, and of one size on all machines that we know.
template <class T>
concept pod_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, long double>;

template <class T>
concept has_enum_limits = requires {
  { enum_limits<T>::first } -> std::convertible_to<T>;
  { enum_limits<T>::last } -> std::convertible_to<T>;
};

template <class T>
concept declared_pod = requires {
  { codec<T>::is_pod } -> std::convertible_to<bool>;
};

/// What a field of type T is: its hash, and whether bytes are a value of it.
template <class T>
struct pod_type {
  static_assert(
      !std::is_pointer_v<T> && !std::is_member_pointer_v<T> && !std::is_reference_v<T>,
      "AMPHIBUS_POD: this field is a pointer, and an address means nothing in another process: hold the value "
      "itself, an index or a fixed array");
  static_assert(!std::is_enum_v<T>,
                "AMPHIBUS_POD: this field is an enumeration without limits, so that nonsense from outside could not be "
                "refused: specialise amphibus::enum_limits for it, above");
  static_assert(std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_reference_v<T> || std::is_enum_v<T>,
                "AMPHIBUS_POD: the type of this field is not allowed: use numbers, bool, std::byte, enumerations with "
                "amphibus::enum_limits, arrays of them, and structs that are AMPHIBUS_PODs themselves, declared above");
  static constexpr void mix(pod_hash&) noexcept {}
  static bool is_valid(const std::byte*) noexcept { return false; }
};

template <pod_number T>
struct pod_type<T> {
  static constexpr void mix(pod_hash& into) noexcept {
    into.add(std::is_floating_point_v<T> ? "f" : std::is_signed_v<T> ? "i" : "u").add(sizeof(T));
  }
  static bool is_valid(const std::byte*) noexcept { return true; }
};

template <>
struct pod_type<std::byte> {
  static constexpr void mix(pod_hash& into) noexcept { into.add("u").add(1); }
  static bool is_valid(const std::byte*) noexcept { return true; }
};

template <>
struct pod_type<bool> {
  static_assert(sizeof(bool) == 1);
  static constexpr void mix(pod_hash& into) noexcept { into.add("b"); }
  static bool is_valid(const std::byte* at) noexcept { return *at <= std::byte{1}; }
};

template <class T>
requires(std::is_enum_v<T>&& has_enum_limits<T>) struct pod_type<T> {
  using number = std::underlying_type_t<T>;
  static constexpr number first = static_cast<number>(enum_limits<T>::first);
  static constexpr number last = static_cast<number>(enum_limits<T>::last);
  static_assert(first <= last, "amphibus::enum_limits: first is larger than last");
  static constexpr void mix(pod_hash& into) noexcept {
    into.add("e").add(sizeof(T)).add(static_cast<std::uint64_t>(first)).add(static_cast<std::uint64_t>(last));
  }
  static bool is_valid(const std::byte* at) noexcept {
    number value{};
    std::memcpy(&value, at, sizeof value);
    return value >= first && value <= last;
  }
};

template <class T, std::size_t Size>
struct pod_type<T[Size]> {
  static constexpr void mix(pod_hash& into) noexcept {
    into.add("a").add(Size);
    pod_type<T>::mix(into);
  }
  static bool is_valid(const std::byte* at) noexcept {
    for (std::size_t i = 0; i != Size; ++i) {
      if (!pod_type<T>::is_valid(at + i * sizeof(T))) return false;
    }
    return true;
  }
};

template <class T, std::size_t Size>
requires(Size != 0) struct pod_type<std::array<T, Size>> : pod_type<T[Size]> {
  static_assert(sizeof(std::array<T, Size>) == sizeof(T[Size]));
};

template <declared_pod T>
struct pod_type<T> {
  static constexpr void mix(pod_hash& into) noexcept { into.add("p").add(codec<T>::schema_hash); }
  static bool is_valid(const std::byte* at) noexcept { return codec<T>::is_valid(at); }
};

/// One field as the macro lists it.
template <class Type, std::size_t Offset, pod_name Name>
struct pod_field {
  static_assert(sizeof(pod_type<Type>) !=
                0);  // says whether the type is allowed, before anything is said of the layout
  static constexpr std::size_t begin = Offset;
  static constexpr std::size_t end = Offset + sizeof(Type);
  static constexpr void mix(pod_hash& into) noexcept {
    into.add(Name.view()).add(Offset);
    pod_type<Type>::mix(into);
  }
  static bool is_valid(const std::byte* at) noexcept { return pod_type<Type>::is_valid(at + Offset); }
};

/// How many bytes from the first on are covered by fields that follow each other without a gap.
template <class... Field>
[[nodiscard]] consteval std::size_t pod_covered() noexcept {
  std::size_t covered = 0;
  bool broken = false;
  ((broken = broken || Field::begin != covered, covered = broken ? covered : Field::end), ...);
  return covered;
}

template <class... Field>
[[nodiscard]] consteval std::uint64_t pod_hash_of(std::size_t size) noexcept {
  pod_hash out;
  out.add(size);
  (Field::mix(out), ...);
  return out.value;
}

/// How many names a list of them has.
[[nodiscard]] consteval std::size_t pod_listed(std::string_view names) noexcept {
  std::size_t count = names.empty() ? 0 : 1;
  for (const char each : names) count += each == ',' ? 1 : 0;
  return count;
}

/// The codec of a struct whose bytes are its fields. Thread: safe. Allocates: never.
template <class T, unsigned long long Version, class... Field>
struct pod_codec {
  static_assert(
      std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> && std::is_copy_assignable_v<T> &&
          std::is_default_constructible_v<T>,
      "AMPHIBUS_POD: the type is not plain: it must be trivially copyable and assignable, of standard layout, "
      "with a default constructor; a type with strings or vectors needs a schema or a codec of its own");
  static_assert(Version >= 1 && Version <= 65'535, "AMPHIBUS_POD: the version is a number from 1 to 65535");

  static constexpr bool is_pod = true;
  static constexpr auto major = static_cast<std::uint16_t>(Version);
  static constexpr std::uint64_t schema_hash = pod_hash_of<Field...>(sizeof(T));

  static_assert(pod_covered<Field...>() == sizeof(T),
                "AMPHIBUS_POD: the listed fields do not cover the struct; the bytes up to the left number are covered: "
                "there a field is not listed or out of order, or padding begins. List all fields as they are declared, "
                "and fill padding with a listed member such as std::array<std::byte, 4> reserved");

  [[nodiscard]] static bool is_valid(const std::byte* at) noexcept { return (Field::is_valid(at) && ...); }
  static bool encode(const T& from, byte_writer& out) {
    if (!is_valid(reinterpret_cast<const std::byte*>(&from))) return false;  // nobody would take it
    out.append(&from, sizeof from);
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, T& into) {
    if (bytes.size() != sizeof into || !is_valid(bytes.data())) return false;
    std::memcpy(&into, bytes.data(), sizeof into);
    return true;
  }
};

}  // namespace wire
}  // namespace amphibus

/// Lets a plain struct leave the process as its bytes: one line behind the struct, outside of every namespace.
///
/// ```cpp
/// struct position { std::int64_t time_ns; std::int32_t latitude_e7, longitude_e7; };
/// AMPHIBUS_POD(position, 1, time_ns, latitude_e7, longitude_e7)
/// inline constexpr amphibus::topic<position> positions{"fleet.positions"};
/// ```
/// `type` is spelled with its namespaces, the same in every program, because the text is its type name on the wire; one
/// with a comma in it needs an alias. `version` is the major: the layout cannot change without a new one. All fields
/// are listed in the order of declaration: numbers, bool, std::byte, enumerations with amphibus::enum_limits, C arrays
/// and std::array of them, and other AMPHIBUS_PODs; up to 64. What does not compile: a field that is missing, padding,
/// a pointer. What arrives is refused if its size differs, a bool is not 0 or 1, or an enumeration is beyond its
/// limits; such a value is not sent either. Schema hash: of names, types and offsets.
#define AMPHIBUS_POD(type, version, ...)                                                                             \
  static_assert(amphibus::wire::pod_listed(#__VA_ARGS__) <= 64,                                                      \
                "AMPHIBUS_POD takes at most 64 fields: put some of them into a struct of their own");                \
  template <>                                                                                                        \
  struct amphibus::codec<type>                                                                                       \
      : amphibus::wire::pod_codec<type,                                                                              \
                                  version __VA_OPT__(AMPHIBUS_POD_RESCAN(AMPHIBUS_POD_FIELDS(type, __VA_ARGS__)))> { \
    static constexpr std::string_view type_name = #type;                                                             \
  };

// The preprocessor does not expand a macro inside itself: what is left of each step is scanned again, 85 times.
#define AMPHIBUS_POD_RESCAN(...) AMPHIBUS_POD_16(AMPHIBUS_POD_16(AMPHIBUS_POD_16(AMPHIBUS_POD_16(__VA_ARGS__))))
#define AMPHIBUS_POD_16(...) AMPHIBUS_POD_4(AMPHIBUS_POD_4(AMPHIBUS_POD_4(AMPHIBUS_POD_4(__VA_ARGS__))))
#define AMPHIBUS_POD_4(...) AMPHIBUS_POD_1(AMPHIBUS_POD_1(AMPHIBUS_POD_1(AMPHIBUS_POD_1(__VA_ARGS__))))
#define AMPHIBUS_POD_1(...) __VA_ARGS__
#define AMPHIBUS_POD_PARENTHESES ()
#define AMPHIBUS_POD_NEXT() AMPHIBUS_POD_FIELDS
#define AMPHIBUS_POD_FIELDS(type, field, ...)                                                   \
  , amphibus::wire::pod_field<decltype(type::field), offsetof(type, field), #field> __VA_OPT__( \
        AMPHIBUS_POD_NEXT AMPHIBUS_POD_PARENTHESES(type, __VA_ARGS__))
#pragma GCC visibility pop
