#include <amphibus/wire/crc32c.hpp>
#include <amphibus/wire/frame.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using namespace amphibus;
using namespace amphibus::wire;

namespace {

bool encode_text(const void* value, byte_writer& out) {
  const auto& text = *static_cast<const std::string*>(value);
  out.append(text.data(), text.size());
  return text != "refuse";
}
bool decode_text(std::span<const std::byte>, void*) { return true; }
constexpr codec_operations text_codec{"text", 1, 7, &encode_text, &decode_text};

const message_id one{{11, 2}, 3};
const message_id other{{12, 4}, 5};

std::vector<std::byte> sample() {
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 40, 7});
  for (const std::string text : {"", "x", "eight by", "longer than eight"}) {
    REQUIRE(writer.add(first_envelope(one), text_codec, &text, 100));
  }
  const std::string text = "caused";
  REQUIRE(writer.add({other, one, one, 0}, text_codec, &text, 100));
  const auto bytes = writer.finish();
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> with_crc(std::vector<std::byte> bytes) {
  const std::uint32_t none = 0;
  std::memcpy(bytes.data() + 40, &none, 4);
  const std::uint32_t crc = crc32c(bytes);
  std::memcpy(bytes.data() + 40, &crc, 4);
  return bytes;
}

std::vector<std::byte> noise(std::size_t size) {
  std::vector<std::byte> out(size);
  std::uint32_t state = 1;
  for (std::byte& each : out) each = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24U);
  return out;
}

struct moody {
  bool throws = true;
};

}  // namespace

template <>
struct amphibus::codec<moody> {
  static constexpr std::string_view type_name = "test.moody";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static bool encode(const moody& from, wire::byte_writer& out) {
    out.append("half", 4);
    if (from.throws) throw std::runtime_error("not today");
    return true;
  }
  static bool decode(std::span<const std::byte>, moody&) { throw 1; }
};

TEST_CASE("codec: one without a binary schema has an empty one", "[wire]") {
  CHECK(codec_operations_of<moody>.binary_schema.empty());
}

TEST_CASE("frame: a codec that throws refuses, and leaves nothing half written", "[wire]") {
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 1});
  const std::size_t before = writer.size_bytes();
  moody message;
  CHECK_FALSE(writer.add(first_envelope(one), codec_operations_of<moody>, &message, 100));
  CHECK(writer.size_bytes() == before);
  message.throws = false;
  CHECK(writer.add(first_envelope(one), codec_operations_of<moody>, &message, 100));
  CHECK_FALSE(codec_operations_of<moody>.decode({}, &message));
}

TEST_CASE("crc32c: the standard check value", "[wire]") {
  const std::string digits = "123456789";
  CHECK(crc32c(std::as_bytes(std::span(digits))) == 0xe3069283U);
  const auto head = crc32c(std::as_bytes(std::span(digits).first(4)));
  CHECK(crc32c(std::as_bytes(std::span(digits).subspan(4)), head) == 0xe3069283U);
}

TEST_CASE("crc32c: joined from parts, and summed while copying, it is that of the whole", "[wire]") {
  const std::vector<std::byte> whole = noise(100'000);
  const std::span<const std::byte> all(whole);
  for (const std::size_t first : {0U, 1U, 7U, 16'384U, 65'537U, 99'999U, 100'000U}) {
    const auto rest = all.subspan(first);
    std::vector<std::byte> copy(rest.size());
    const std::uint32_t other = copy_with_crc32c(copy.data(), rest);
    CHECK(std::equal(copy.begin(), copy.end(), rest.begin()));
    CHECK(other == crc32c(rest));
    CHECK(joined_crc32c(crc32c(all.first(first)), other, rest.size()) == crc32c(all));
  }
}

TEST_CASE("byte_writer: its CRC is that of its bytes, whatever was appended, written over and cut off", "[wire]") {
  const std::vector<std::byte> large = noise(70'000);
  const std::vector<std::byte> small = noise(100);
  byte_writer out;
  const auto sums_right = [&] { return out.crc() == crc32c(out.bytes()); };
  CHECK(sums_right());
  out.append(small);
  out.append(large);
  CHECK(sums_right());
  out.append(small);
  CHECK(sums_right());
  out.overwrite(0, small.data() + 1, 99);
  CHECK(sums_right());
  out.append(large);
  CHECK(sums_right());
  out.truncate(out.size() - 1);
  CHECK(sums_right());
  for (const std::size_t at : {0U, 99U, 100U, 35'000U, 70'099U, 70'100U}) {
    out.clear();
    CHECK(sums_right());
    out.append(small);
    out.append(large);
    out.append(small);
    byte_writer other(std::move(out));
    out = std::move(other);
    CHECK(sums_right());
    const std::byte changed = ~out.bytes()[at];
    out.overwrite(at, &changed, 1);
    CHECK(sums_right());
  }
  out.append(large);
  out.data()[out.size() - 5] = ~out.bytes()[out.size() - 5];
  CHECK(sums_right());
}

TEST_CASE("frame: large messages arrive, behind small and refused ones", "[wire]") {
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 40, 7});
  const std::string small = "small";
  const std::string large(70'000, 'a');
  const std::string larger(200'000, 'b');
  REQUIRE(writer.add(first_envelope(one), text_codec, &small, 100'000));
  REQUIRE(writer.add(first_envelope(one), text_codec, &large, 100'000));
  REQUIRE_FALSE(writer.add(first_envelope(one), text_codec, &larger, 100'000));
  const value_run run{reinterpret_cast<const std::byte*>(&large), sizeof large, 1};
  REQUIRE(writer.add_run(one.source.index, 9, text_codec, run, 100'000, 1'000'000) == 1);
  REQUIRE(writer.add(first_envelope(one), text_codec, &small, 100'000));
  batch_reader reader;
  REQUIRE(reader.open(writer.finish()) == nullptr);
  received_message message;
  std::vector<std::size_t> sizes;
  while (reader.next(message)) sizes.push_back(message.payload.size());
  CHECK(sizes == std::vector<std::size_t>{5, 70'000, 70'000, 5});
}

TEST_CASE("frame: what was written is read, contexts included", "[wire]") {
  const auto bytes = sample();
  batch_reader reader;
  REQUIRE(reader.open(bytes) == nullptr);
  CHECK(reader.header().first_sequence == 40);
  CHECK(reader.header().count == 5);
  received_message message;
  std::vector<std::string> texts;
  while (reader.next(message)) {
    CHECK((message.payload.data() - bytes.data()) % 8 == 0);
    texts.emplace_back(reinterpret_cast<const char*>(message.payload.data()), message.payload.size());
    if (texts.size() == 1) CHECK(message.with == first_envelope(one));
  }
  CHECK(texts == std::vector<std::string>{"", "x", "eight by", "longer than eight", "caused"});
  CHECK(message.with == envelope{other, one, one, 0});
}

TEST_CASE("frame: consecutive messages of a source share one context", "[wire]") {
  const std::string text = "8 bytes!";
  const std::vector<envelope> sent{first_envelope({{11, 2}, 3}), first_envelope({{11, 2}, 4}),
                                   {other, one, one, 0},         first_envelope({{11, 2}, 5}),
                                   first_envelope({{11, 2}, 7}), first_envelope({{11, 6}, 8}),
                                   first_envelope({{12, 6}, 9}), first_envelope({{11, 6}, 9})};
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 7});
  for (const envelope& each : sent) REQUIRE(writer.add(each, text_codec, &text, 100));
  const std::size_t contexts = 3 * 16 + 2 * 72;  // three begin a run, two are full, three follow
  CHECK(writer.size_bytes() == batch_header_size_bytes + sent.size() * (8 + 8) + contexts);
  batch_reader reader;
  REQUIRE(reader.open(writer.finish()) == nullptr);
  received_message message;
  std::vector<envelope> got;
  while (reader.next(message)) got.push_back(message.with);
  CHECK(got == sent);
}

TEST_CASE("frame: a run is written with one context and read in runs of one size", "[wire]") {
  const std::vector<std::string> texts{"a", "b", "c", "two words", "three words", "d"};
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 7});
  const value_run values{reinterpret_cast<const std::byte*>(texts.data()), sizeof texts[0], texts.size()};
  CHECK(writer.add_run(2, 3, text_codec, values, 100, 1'000) == texts.size());
  CHECK(writer.count() == texts.size());
  CHECK(writer.size_bytes() == batch_header_size_bytes + 16 + 4 * 16 + 2 * 24);
  const std::string last = "e";
  REQUIRE(writer.add(first_envelope({{11, 2}, 9}), text_codec, &last, 100));
  const auto bytes = writer.finish();
  const auto text_of = [](std::span<const std::byte> payload) {
    return std::string(reinterpret_cast<const char*>(payload.data()), payload.size());
  };
  const std::size_t most = GENERATE(1, 2, 100);
  batch_reader reader;
  REQUIRE(reader.open(bytes) == nullptr);
  std::vector<std::string> got;
  std::vector<std::size_t> sizes;
  std::uint64_t sequence = 3;
  for (received_run run; reader.next_run(run, most);) {
    sizes.push_back(run.count);
    for (; !run.empty(); run = run.without(1)) {
      CHECK(run.head.with == first_envelope({{11, 2}, sequence++}));
      CHECK(text_of(run[run.count - 1].payload) == text_of(run.payload(run.count - 1)));
      got.push_back(text_of(run.head.payload));
    }
  }
  CHECK(got == std::vector<std::string>{"a", "b", "c", "two words", "three words", "d", "e"});
  if (most == 100) CHECK(sizes == std::vector<std::size_t>{3, 1, 1, 2});
  if (most == 2) CHECK(sizes == std::vector<std::size_t>{2, 1, 1, 1, 2});
}

TEST_CASE("frame: a run stops before what is refused and where the batch is full", "[wire]") {
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 7});
  const auto add = [&](const std::vector<std::string>& texts, std::uint64_t sequence, std::size_t until) {
    const value_run values{reinterpret_cast<const std::byte*>(texts.data()), sizeof texts[0], texts.size()};
    return writer.add_run(2, sequence, text_codec, values, 100, until);
  };
  CHECK(add({"refuse", "x"}, 1, 1'000) == 0);
  CHECK(writer.size_bytes() == batch_header_size_bytes);
  CHECK(add({"x", "refuse", "y"}, 1, 1'000) == 1);
  CHECK(add({"y", "z"}, 3, 1'000) == 2);  // after the one that was refused: a context of its own
  CHECK(writer.size_bytes() == batch_header_size_bytes + 3 * 16 + 2 * 16);
  CHECK(add({"1", "2", "3"}, 5, writer.size_bytes() + 17) == 2);
  CHECK(writer.count() == 5);
  std::vector<moody> moods(3);
  for (moody& each : moods) each.throws = false;
  moods[2].throws = true;
  const value_run values{reinterpret_cast<const std::byte*>(moods.data()), sizeof moods[0], moods.size()};
  CHECK(writer.add_run(3, 1, codec_operations_of<moody>, values, 100, 1'000) == 2);
  batch_reader reader;
  CHECK(reader.open(writer.finish()) == nullptr);
}

TEST_CASE("frame: runs whose sequence numbers or bytes end too early are refused", "[wire]") {
  const std::vector<std::string> texts{"a", "b", "c"};
  const value_run values{reinterpret_cast<const std::byte*>(texts.data()), sizeof texts[0], texts.size()};
  batch_writer writer;
  batch_reader reader;
  writer.begin({batch_kind::messages, 11, 1, 7});
  REQUIRE(writer.add_run(2, ~std::uint64_t{0} - 1, text_codec, values, 100, 1'000) == 3);
  CHECK(reader.open(writer.finish()) == std::string("sequence numbers beyond 64 bits"));
  writer.begin({batch_kind::messages, 11, 1, 7});
  REQUIRE(writer.add_run(2, ~std::uint64_t{0} - 2, text_codec, values, 100, 1'000) == 3);
  const auto whole = writer.finish();
  CHECK(reader.open(whole) == nullptr);
  for (std::uint32_t count : {2U, 4U}) {
    std::vector<std::byte> other(whole.begin(), whole.end());
    std::memcpy(other.data() + 32, &count, sizeof count);
    CHECK(reader.open(with_crc(other)) != nullptr);
  }
}

TEST_CASE("frame: a context that follows none is refused even with the right CRC", "[wire]") {
  auto bytes = sample();
  const std::uint32_t following = 2;
  std::memcpy(bytes.data() + 52, &following, 4);
  batch_reader reader;
  CHECK(reader.open(with_crc(bytes)) == std::string("a context that follows none"));
}

TEST_CASE("frame: the time that is left travels, with and without a key", "[wire]") {
  const std::string text = "8 bytes!";
  byte_writer attributes;
  REQUIRE(attributes_view::append("customer-7", {}, attributes));
  const auto travelled = [&](base::duration left, bool with_key) {
    envelope with = first_envelope(one);
    with.time_left = left;
    if (with_key) with.attributes = attributes_view(attributes.bytes());
    batch_writer writer;
    writer.begin({batch_kind::messages, 11, 1, 7});
    REQUIRE(writer.add(with, text_codec, &text, 100));
    batch_reader reader;
    REQUIRE(reader.open(writer.finish()) == nullptr);
    received_message message;
    REQUIRE(reader.next(message));
    CHECK(message.with.attributes.key() == (with_key ? "customer-7" : ""));
    CHECK(message.payload.size() == text.size());
    return message.with.time_left;
  };
  using namespace std::chrono_literals;
  for (const bool with_key : {false, true}) {
    CHECK(travelled(base::duration::max(), with_key) == base::duration::max());
    CHECK(travelled(1500us, with_key) == 2ms);  // rounded up
    CHECK(travelled(0ms, with_key) == 1ms);
    CHECK(travelled(std::chrono::milliseconds(0xffffffffU), with_key) == std::chrono::milliseconds(0xffffffffU));
    CHECK(travelled(std::chrono::hours(24 * 50), with_key) == base::duration::max());  // beyond 49 days
  }
}

TEST_CASE("frame: a message without a sequence number is refused, and a cause without one is none", "[wire]") {
  const std::string text = "8 bytes!";
  const auto opened = [&](const envelope& with, std::size_t word, std::uint64_t value) {
    batch_writer writer;
    writer.begin({batch_kind::messages, 11, 1, 7});
    REQUIRE(writer.add(with, text_codec, &text, 100));
    const auto written = writer.finish();
    std::vector<std::byte> bytes(written.begin(), written.end());
    std::memcpy(bytes.data() + batch_header_size_bytes + 8 + word * 8, &value, sizeof value);
    const auto whole = with_crc(bytes);  // the reader looks into it
    batch_reader reader;
    const char* const wrong = reader.open(whole);
    received_message message;
    if (wrong == nullptr && reader.next(message)) CHECK(message.with.causation == message_id{});
    return std::string(wrong == nullptr ? "" : wrong);
  };
  const envelope caused{other, one, one, 0, {}};
  CHECK(opened(first_envelope(one), 1, 0) == "a message without a sequence number");
  CHECK(opened(caused, 2, 0) == "a message, or its correlation, without a sequence number");
  CHECK(opened(caused, 5, 0) == "a message, or its correlation, without a sequence number");
  CHECK(opened(caused, 8, 0).empty());
}

TEST_CASE("frame: a run of messages whose numbers end beyond 64 bits is refused", "[wire]") {
  const std::string text = "8 bytes!";
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 7});
  for (const std::uint64_t number : {41U, 42U})
    REQUIRE(writer.add(first_envelope({{11, 2}, number}), text_codec, &text, 100));
  const auto written = writer.finish();
  std::vector<std::byte> bytes(written.begin(), written.end());
  const std::uint64_t highest = ~std::uint64_t{0};
  std::memcpy(bytes.data() + batch_header_size_bytes + 16, &highest, sizeof highest);
  batch_reader reader;
  CHECK(reader.open(with_crc(bytes)) == std::string("sequence numbers beyond 64 bits"));
}

TEST_CASE("frame: a message that is too large or refused leaves the batch as it was", "[wire]") {
  batch_writer writer;
  writer.begin({batch_kind::messages, 11, 1, 7});
  const std::size_t before = writer.size_bytes();
  std::string text(101, 'x');
  CHECK_FALSE(writer.add(first_envelope(one), text_codec, &text, 100));
  text = "refuse";
  CHECK_FALSE(writer.add(first_envelope(one), text_codec, &text, 100));
  CHECK(writer.size_bytes() == before);
  CHECK(writer.count() == 0);
}

TEST_CASE("frame: a batch cut at any byte is refused", "[wire]") {
  const auto bytes = sample();
  batch_reader reader;
  for (std::size_t size = 0; size != bytes.size(); ++size) CHECK(reader.open(std::span(bytes).first(size)) != nullptr);
}

TEST_CASE("frame: any flipped byte is refused", "[wire]") {
  const auto bytes = sample();
  batch_reader reader;
  for (std::size_t i = 0; i != bytes.size(); ++i) {
    if (i >= 44 && i < 48) continue;  // reserved, but covered by the CRC as well
    auto broken = bytes;
    broken[i] ^= std::byte{0x41};
    CHECK(reader.open(broken) != nullptr);
  }
}

TEST_CASE("frame: lengths and counts that lie are refused even with the right CRC", "[wire]") {
  batch_reader reader;
  for (const std::size_t at : {32U, 36U, 48U, 52U}) {
    for (const std::uint32_t lie : {0xffffffffU, 0x7fffffffU, 6U, 1000U}) {
      auto broken = sample();
      std::memcpy(broken.data() + at, &lie, 4);
      INFO("offset " << at << " value " << lie);
      CHECK(reader.open(with_crc(broken)) != nullptr);
    }
  }
}

TEST_CASE("frame: numbers that begin at 0 or end beyond 64 bits are refused", "[wire]") {
  const auto opened = [](std::uint64_t first) {
    auto bytes = sample();  // five messages
    std::memcpy(bytes.data() + 16, &first, sizeof first);
    batch_reader reader;
    return reader.open(with_crc(bytes));
  };
  CHECK(opened(0) == std::string("sequence numbers begin at 1"));
  CHECK(opened(1) == nullptr);
  CHECK(opened(~std::uint64_t{0} - 5) == nullptr);
  CHECK(opened(~std::uint64_t{0} - 4) == std::string("sequence numbers beyond 64 bits"));
  CHECK(opened(~std::uint64_t{0}) == std::string("sequence numbers beyond 64 bits"));
}

TEST_CASE("frame: a sync that counts messages is refused, and what is refused hands out nothing", "[wire]") {
  auto bytes = sample();
  batch_reader reader;
  REQUIRE(reader.open(bytes) == nullptr);
  const batch_kind sync = batch_kind::sync;
  std::memcpy(bytes.data() + 6, &sync, sizeof sync);
  CHECK(reader.open(with_crc(bytes)) == std::string("a sync or goodbye that counts messages"));
  received_message message;
  CHECK_FALSE(reader.next(message));
}
