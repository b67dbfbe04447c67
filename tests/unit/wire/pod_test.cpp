#include <amphibus/topic.hpp>
#include <amphibus/wire/pod.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <vector>

using namespace amphibus;

namespace fleet {

enum class state : std::int16_t { moored = -1, sailing = 0, sunk = 1 };
enum class flags : std::uint8_t { none = 0, lit = 1, armed = 2 };

struct position {
  std::int32_t latitude_e7 = 0;
  std::int32_t longitude_e7 = 0;
};

struct vessel {
  position at;
  double speed = 0;
  position track[2][2];
  std::array<char, 4> name{};
  state now = state::sailing;
  bool afloat = true;
  flags shows = flags::none;
};

// Five that differ from `pair` in one thing each.
struct pair {
  std::int32_t a = 0;
  std::int32_t b = 0;
};
struct renamed {
  std::int32_t a = 0;
  std::int32_t c = 0;
};
struct swapped {
  std::int32_t b = 0;
  std::int32_t a = 0;
};
struct retyped {
  std::int32_t a = 0;
  std::uint32_t b = 0;
};
struct longer {
  std::int32_t a = 0;
  std::int32_t b = 0;
  std::int32_t c = 0;
};
struct only {
  bool value = false;
};

}  // namespace fleet

template <>
struct amphibus::enum_limits<fleet::state> {
  static constexpr fleet::state first = fleet::state::moored;
  static constexpr fleet::state last = fleet::state::sunk;
};
template <>
struct amphibus::enum_limits<fleet::flags> {
  static constexpr fleet::flags first = fleet::flags::none;
  static constexpr fleet::flags last = fleet::flags(3);
};
AMPHIBUS_POD(fleet::position, 1, latitude_e7, longitude_e7)
AMPHIBUS_POD(fleet::vessel, 7, at, speed, track, name, now, afloat, shows)
AMPHIBUS_POD(fleet::pair, 1, a, b)
AMPHIBUS_POD(fleet::renamed, 1, a, c)
AMPHIBUS_POD(fleet::swapped, 1, b, a)
AMPHIBUS_POD(fleet::retyped, 1, a, b)
AMPHIBUS_POD(fleet::longer, 1, a, b, c)
AMPHIBUS_POD(fleet::only, 1, value)

namespace {

constexpr topic<fleet::vessel> vessels{"fleet.vessels", with_codec};

fleet::vessel sample() {
  fleet::vessel out;
  out.at = {1, -2};
  out.speed = 12.5;
  out.track[1][0] = {3, 4};
  out.name = {'a', 'n', 'n', '\0'};
  out.now = fleet::state::moored;
  return out;
}

std::vector<std::byte> encoded(const fleet::vessel& from) {
  wire::byte_writer out;
  REQUIRE(codec<fleet::vessel>::encode(from, out));
  return {out.bytes().begin(), out.bytes().end()};
}

template <class Value>
bool accepts(std::size_t at, Value value) {
  auto bytes = encoded(sample());
  std::memcpy(bytes.data() + at, &value, sizeof value);
  fleet::vessel into;
  into.speed = 99;
  const bool taken = codec<fleet::vessel>::decode(bytes, into);
  CHECK((taken || into.speed == 99));  // what is refused leaves it untouched
  return taken;
}

}  // namespace

TEST_CASE("pod: the codec has the spelled name, the version and a hash", "[wire]") {
  REQUIRE(vessels.codec() != nullptr);
  CHECK(vessels.codec()->type_name == "fleet::vessel");
  CHECK(vessels.codec()->major == 7);
  CHECK(vessels.codec()->decode_owned == nullptr);
}

TEST_CASE("pod: what is encoded is decoded, byte for byte", "[wire]") {
  const auto bytes = encoded(sample());
  CHECK(bytes.size() == sizeof(fleet::vessel));
  fleet::vessel back;
  REQUIRE(codec<fleet::vessel>::decode(bytes, back));
  const auto from = sample();
  CHECK(std::memcmp(&back, &from, sizeof back) == 0);
}

TEST_CASE("pod: name, type and offset of every field are in the hash, and so is the size", "[wire]") {
  const std::uint64_t hash = codec<fleet::pair>::schema_hash;
  CHECK(hash != codec<fleet::renamed>::schema_hash);
  CHECK(hash != codec<fleet::swapped>::schema_hash);
  CHECK(hash != codec<fleet::retyped>::schema_hash);
  CHECK(hash != codec<fleet::longer>::schema_hash);
}

TEST_CASE("pod: another size is refused, one byte less or more", "[wire]") {
  auto bytes = encoded(sample());
  fleet::vessel into;
  CHECK_FALSE(codec<fleet::vessel>::decode({}, into));
  CHECK_FALSE(codec<fleet::vessel>::decode(std::span(bytes).first(bytes.size() - 1), into));
  bytes.push_back({});
  CHECK_FALSE(codec<fleet::vessel>::decode(bytes, into));
}

TEST_CASE("pod: a bool is 0 or 1, an enumeration within its limits, both ends included", "[wire]") {
  for (int value = 0; value != 256; ++value) {
    CHECK(accepts(offsetof(fleet::vessel, afloat), static_cast<std::uint8_t>(value)) == (value <= 1));
  }
  for (const int value : {-32'768, -2, -1, 0, 1, 2, 32'767}) {
    CHECK(accepts(offsetof(fleet::vessel, now), static_cast<std::int16_t>(value)) == (value >= -1 && value <= 1));
  }
  for (const int value : {0, 3, 4, 255}) {
    CHECK(accepts(offsetof(fleet::vessel, shows), static_cast<std::uint8_t>(value)) == (value <= 3));
  }
  CHECK(accepts(offsetof(fleet::vessel, speed), ~std::uint64_t{0}));  // a NaN is a number
}

TEST_CASE("pod: what no receiver would take is not sent", "[wire]") {
  auto wrong = sample();
  wrong.now = fleet::state(2);
  wire::byte_writer out;
  CHECK_FALSE(codec<fleet::vessel>::encode(wrong, out));
}

TEST_CASE("pod: an element of an array is checked like a field, the last one, too", "[wire]") {
  const std::array<std::byte, 3> good{std::byte{1}, std::byte{0}, std::byte{1}};
  CHECK(wire::pod_type<bool[3]>::is_valid(good.data()));
  for (std::size_t i = 0; i != 3; ++i) {
    auto broken = good;
    broken[i] = std::byte{2};
    CHECK_FALSE(wire::pod_type<bool[3]>::is_valid(broken.data()));
  }
  const std::array<std::byte, 2> nested{std::byte{1}, std::byte{2}};
  CHECK_FALSE((wire::pod_type<std::array<fleet::only, 2>>::is_valid(nested.data())));
}
