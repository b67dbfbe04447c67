#include <amphibus/topic.hpp>
#include <amphibus/wire/codec.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <string>

using namespace amphibus;

namespace {

/// A text whose codec says beforehand how long it is, truly or not.
struct hinted {
  std::string text;
  std::size_t hint = 0;
};

}  // namespace

template <>
struct amphibus::codec<hinted> {
  static constexpr std::string_view type_name = "test.hinted";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static std::size_t size_hint(const hinted& of) { return of.hint; }
  static bool encode(const hinted& from, wire::byte_writer& out) {
    for (const char& each : from.text) out.append(&each, 1);
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, hinted& into) {
    into.text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
};

namespace {

constexpr topic<hinted> texts{"test.texts", with_codec};

/// How often the buffer moved while `what` was appended behind one byte.
std::size_t moves_of(const hinted& what) {
  wire::byte_writer out;
  out.append("x", 1);
  const std::byte* const before = out.data();
  REQUIRE(texts.codec()->encode(&what, out));
  REQUIRE(out.size() == what.text.size() + 1);
  CHECK(out.data()[0] == std::byte{'x'});
  return out.data() == before ? 0 : 1;
}

}  // namespace

TEST_CASE("codec: a size hint makes room at once, whatever it says", "[wire]") {
  const std::string text(10'000, 'a');
  wire::byte_writer out;
  out.reserve(10'000);
  const std::byte* const begin = out.data();
  const hinted what{text, 10'000};
  REQUIRE(texts.codec()->encode(&what, out));
  CHECK(out.data() == begin);
  CHECK(moves_of({"short", 100}) == 0);
  CHECK(moves_of({"short", 5'000}) == 1);
  CHECK(moves_of({text, 0}) == 1);
  CHECK(moves_of({text, 1}) == 1);
}

TEST_CASE("codec: a size hint above 16 MiB is not believed", "[wire]") {
  CHECK(moves_of({"short", wire::size_hint_max_bytes}) == 1);
  CHECK(moves_of({"short", wire::size_hint_max_bytes + 1}) == 0);
  CHECK(moves_of({"short", std::numeric_limits<std::size_t>::max()}) == 0);
}

TEST_CASE("codec: one that keeps nothing decodes owned bytes like any others", "[wire]") {
  CHECK(texts.codec()->decode_owned == nullptr);
  hinted into;
  const std::string text = "text";
  REQUIRE(texts.codec()->decode_received(std::as_bytes(std::span(text)), nullptr, &into));
  CHECK(into.text == "text");
}
