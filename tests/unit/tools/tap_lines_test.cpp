#include "tap.hpp"

#include <tap_amphibus.h>

#include <catch2/catch.hpp>

using namespace amphibus;
using namespace amphibus::cli;
using namespace std::chrono_literals;

namespace {

const std::chrono::system_clock::time_point when{1'700'000'000s + 42us};

struct leaf_message {
  leaf_message() {
    tap::LeafT leaf;
    leaf.name = "oak";
    REQUIRE(codec<tap::LeafT>::encode(leaf, bytes));
    seen.process = "front";
    seen.topic = "trees.leaf";
    seen.number = 7;
    seen.with = wire::first_envelope({{0x10, 2}, 3});
    seen.type_name = "tap.Leaf";
    seen.binary_schema = codec<tap::LeafT>::binary_schema;
    seen.payload = bytes.bytes();
  }
  wire::byte_writer bytes;
  zeromq::observed_message seen;
};

std::string json_of(const zeromq::observed_message& seen) { return tap_lines(true).line_of(seen, when); }

}  // namespace

TEST_CASE("tap lines: a message with its schema is one JSON object", "[tools]") {
  const leaf_message leaf;
  CHECK(json_of(leaf.seen) ==
        R"({"time":"2023-11-14T22:13:20.000042Z","process":"front","topic":"trees.leaf","number":7,)"
        R"("type":"tap.Leaf","id":"0000000000000010/2/3","message":{"name":"oak"}})");
}

TEST_CASE("tap lines: the form for people has the same content", "[tools]") {
  const leaf_message leaf;
  CHECK(tap_lines(false).line_of(leaf.seen, when) ==
        R"(22:13:20.000042 front trees.leaf #7 {"id":"0000000000000010/2/3","message":{"name":"oak"}})");
}

TEST_CASE("tap lines: key, headers, correlation and what was missed are shown where they are", "[tools]") {
  leaf_message leaf;
  wire::byte_writer attributes;
  REQUIRE(wire::attributes_view::append("k\x1b", {{"tenant", "acme"}, {"tenant", "b"}}, attributes));
  leaf.seen.with.attributes = wire::attributes_view(attributes.bytes());
  leaf.seen.with.correlation.sequence = 1;
  leaf.seen.with.causation = leaf.seen.with.correlation;
  leaf.seen.missed_before = 4;
  const std::string line = json_of(leaf.seen);
  CHECK_THAT(line, Catch::Contains(R"("correlation":"0000000000000010/2/1","causation":"0000000000000010/2/1",)"));
  CHECK_THAT(line, Catch::Contains(R"("key":"k\u001b","headers":[["tenant","acme"],["tenant","b"]],)"));
  CHECK_THAT(line, Catch::Contains(R"("missed_before":4,)"));
}

TEST_CASE("tap lines: without a schema, or where it does not fit, the bytes are shown with a note", "[tools]") {
  leaf_message leaf;
  leaf.seen.binary_schema = {};
  CHECK_THAT(json_of(leaf.seen), Catch::Contains(R"("note":"no schema came with its type"})"));
  leaf.seen.binary_schema = "no schema at all";
  CHECK_THAT(json_of(leaf.seen), Catch::Contains(R"("note":"no schema came with its type"})"));
  leaf.seen.binary_schema = codec<tap::LeafT>::binary_schema;
  const std::vector<std::byte> garbage(300, std::byte{0xff});
  leaf.seen.payload = std::span(garbage).first(256);
  CHECK_THAT(json_of(leaf.seen), Catch::Contains(R"(ff","note":"does not fit its schema"})"));
  leaf.seen.payload = std::span(garbage).first(257);
  CHECK_THAT(json_of(leaf.seen), Catch::Contains(R"("note":"does not fit its schema; 256 of 257 bytes"})"));
}

TEST_CASE("tap lines: a schema that a process exchanges for another is read again", "[tools]") {
  leaf_message leaf;
  tap_lines lines(true);
  leaf.seen.binary_schema = "none";
  CHECK_THAT(lines.line_of(leaf.seen, when), Catch::Contains("note"));
  leaf.seen.binary_schema = codec<tap::LeafT>::binary_schema;
  CHECK_THAT(lines.line_of(leaf.seen, when), Catch::Contains(R"({"name":"oak"})"));
}

TEST_CASE("durations: what people write, and nothing else", "[tools]") {
  CHECK(read_duration("250ms") == 250ms);
  CHECK(read_duration("10s") == 10s);
  CHECK(read_duration("2min") == 2min);
  CHECK(read_duration("1h") == 1h);
  CHECK(read_duration("4294967295s") == std::chrono::seconds(4'294'967'295));
  for (const char* const wrong : {"", "10", "s", "-1s", "1.5s", "10 s", "10sec", "2m", "4294967296s"}) {
    CHECK_FALSE(read_duration(wrong));
  }
}
