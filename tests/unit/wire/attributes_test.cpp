#include <amphibus/wire/attributes.hpp>
#include <amphibus/wire/crc32c.hpp>
#include <amphibus/wire/frame.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace amphibus;
using namespace amphibus::wire;

namespace {

std::vector<std::byte> sample() {
  byte_writer out;
  const std::vector<header> headers{{"tenant", "acme"}, {"empty", ""}, {"tenant", "second"}};
  REQUIRE(attributes_view::append("customer", headers, out));
  return {out.bytes().begin(), out.bytes().end()};
}

bool encode_nothing(const void*, byte_writer&) { return true; }
bool decode_nothing(std::span<const std::byte>, void*) { return true; }
constexpr codec_operations nothing{"nothing", 1, 1, &encode_nothing, &decode_nothing};

void correct_crc(std::vector<std::byte>& batch) {
  std::memset(batch.data() + 40, 0, 4);
  const std::uint32_t crc = crc32c(batch);
  std::memcpy(batch.data() + 40, &crc, 4);
}

}  // namespace

TEST_CASE("attributes: what was appended is read, in order, the first of a name found", "[wire]") {
  const auto bytes = sample();
  REQUIRE(attributes_view::check(bytes) == nullptr);
  const attributes_view view{bytes};
  CHECK(view.key() == "customer");
  CHECK(view.header_count() == 3);
  CHECK(view.header_at(2).value == "second");
  CHECK(view.find("tenant") == "acme");
  CHECK(view.find("empty") == "");
  CHECK_FALSE(view.find("missing"));
  CHECK(attributes_view().key().empty());
  CHECK(attributes_view().header_count() == 0);
}

TEST_CASE("attributes: no prefix and no single changed byte is read beyond its end", "[wire]") {
  const auto bytes = sample();
  for (std::size_t size = 1; size != bytes.size(); ++size) {
    // A copy of exactly this size, so that a sanitizer sees a read beyond it.
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (attributes_view::check(cut) == nullptr) CHECK(attributes_view(cut).header_count() < 3);
  }
  for (std::size_t at = 0; at != bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] = std::byte{0xff};
    if (attributes_view::check(changed) != nullptr) continue;
    const attributes_view view{changed};
    for (std::size_t i = 0; i != view.header_count(); ++i) CHECK(view.header_at(i).name.size() <= bytes.size());
  }
}

TEST_CASE("attributes: limits are refused when written and when read", "[wire]") {
  byte_writer out;
  out.append("before", 6);
  CHECK_FALSE(attributes_view::append(std::string(key_size_max_bytes + 1, 'k'), {}, out));
  CHECK_FALSE(attributes_view::append("", std::vector<header>(header_count_max + 1, {"n", ""}), out));
  CHECK_FALSE(attributes_view::append("", std::vector<header>{{std::string(256, 'n'), ""}}, out));
  CHECK(out.size() == 6);
  std::vector<std::byte> long_key(2 + 256);
  long_key[1] = std::byte{1};  // 256, little-endian
  CHECK(attributes_view::check(long_key) == std::string("a key of more than 255 bytes"));
  CHECK(attributes_view::check(std::vector<std::byte>(attributes_size_max_bytes + 1)) != nullptr);
}

TEST_CASE("frame: attributes travel beside any context, and lengths that lie are refused", "[wire]") {
  const auto attributes = sample();
  const message_id id{{11, 2}, 3};
  envelope with = first_envelope(id);
  with.attributes = attributes_view(attributes);
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 1});
  REQUIRE(writer.add(first_envelope(id), nothing, nullptr, 100));
  REQUIRE(writer.add(with, nothing, nullptr, 100));
  REQUIRE(writer.add(first_envelope({{11, 2}, 4}), nothing, nullptr, 100));
  const auto finished = writer.finish();
  const std::vector<std::byte> batch(finished.begin(), finished.end());

  batch_reader reader;
  REQUIRE(reader.open(batch) == nullptr);
  received_message message;
  REQUIRE(reader.next(message));
  CHECK(message.with == first_envelope(id));
  REQUIRE(reader.next(message));
  CHECK(message.with == with);
  CHECK(message.with.attributes.find("tenant") == "acme");
  REQUIRE(reader.next(message));
  CHECK(message.with == first_envelope({{11, 2}, 4}));

  for (std::size_t at = batch_header_size_bytes; at != batch.size(); ++at) {
    for (const unsigned value : {0U, 0x7fU, 0xffU}) {
      auto changed = batch;
      changed[at] = static_cast<std::byte>(value);
      correct_crc(changed);
      if (reader.open(changed) != nullptr) continue;
      while (reader.next(message)) CHECK(message.with.attributes.header_count() <= header_count_max);
    }
  }
}
