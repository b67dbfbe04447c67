#include "message_json.hpp"

#include <tap_amphibus.h>

#include <catch2/catch.hpp>

#include <limits>

using namespace amphibus;
using namespace amphibus::cli;

namespace {

std::vector<std::byte> encoded(const tap::SampleT& from) {
  wire::byte_writer out;
  REQUIRE(codec<tap::SampleT>::encode(from, out));
  return {out.bytes().begin(), out.bytes().end()};
}

message_json sample_schema() {
  auto out = message_json::open(codec<tap::SampleT>::binary_schema, "tap.Sample");
  REQUIRE(out);
  return *out;
}

std::string text_of(const tap::SampleT& from) { return sample_schema().text_of(encoded(from)).value_or("none"); }

tap::SampleT everything() {
  tap::SampleT out;
  out.text = "sea \"and\" land";
  out.small = -128;
  out.large = std::numeric_limits<std::uint64_t>::max();
  out.real = 0.1;
  out.yes = true;
  out.colour = tap::Colour::blue;
  out.maybe = 5;
  out.numbers = {1, 65535};
  out.names = {"x", ""};
  out.colours = {tap::Colour::red, static_cast<tap::Colour>(9)};
  out.segment = std::make_unique<tap::Segment>(tap::Point(1, 0.5F), tap::Point(-2, 1.5F));
  out.path = {tap::Point(3, 4)};
  out.leaf = std::make_unique<tap::LeafT>();
  out.leaf->name = "oak";
  out.leaves.push_back(std::make_unique<tap::LeafT>());
  tap::LeafT part;
  part.name = "elm";
  out.part.Set(std::move(part));
  return out;
}

}  // namespace

TEST_CASE("message json: every kind of field is shown, in the order of the schema", "[tools]") {
  CHECK(text_of(everything()) ==
        R"({"text":"sea \"and\" land","small":-128,"large":18446744073709551615,"real":0.1,"yes":true,)"
        R"("colour":"blue","maybe":5,"numbers":[1,65535],"names":["x",""],"colours":["red",9],)"
        R"("segment":{"from":{"x":1,"y":0.5},"to":{"x":-2,"y":1.5}},"path":[{"x":3,"y":4}],)"
        R"("leaf":{"name":"oak"},"leaves":[{}],"part_type":"Leaf","part":{"name":"elm"}})");
}

TEST_CASE("message json: what is absent has its default, or is left out", "[tools]") {
  CHECK(text_of({}) == R"({"small":-3,"large":0,"real":0,"yes":false,"colour":"green","part_type":"NONE"})");
}

TEST_CASE("message json: numbers that JSON has no word for are texts", "[tools]") {
  tap::SampleT odd;
  odd.real = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(text_of(odd), Catch::Contains(R"("real":"NaN")"));
  odd.real = -std::numeric_limits<double>::infinity();
  CHECK_THAT(text_of(odd), Catch::Contains(R"("real":"-Infinity")"));
}

TEST_CASE("message json: bytes that are no schema, or one without the type, give nothing", "[tools]") {
  const std::string_view good = codec<tap::SampleT>::binary_schema;
  CHECK_FALSE(message_json::open(good, "tap.Other"));
  CHECK_FALSE(message_json::open(good, "tap.Point"));  // a struct is no message
  CHECK_FALSE(message_json::open("", "tap.Sample"));
  CHECK_FALSE(message_json::open(good.substr(0, good.size() / 2), "tap.Sample"));
  CHECK_FALSE(message_json::open(std::string(good.size(), '\xff'), "tap.Sample"));
}

TEST_CASE("message json: a message that is cut or changed is text or nothing, never more than its bytes", "[tools]") {
  const auto schema = sample_schema();
  const auto good = encoded(everything());
  for (std::size_t size = 0; size != good.size(); ++size) {
    const std::vector<std::byte> exact(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    static_cast<void>(schema.text_of(exact));
  }
  for (std::size_t at = 0; at != good.size(); ++at) {
    for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
      auto broken = good;
      broken[at] = static_cast<std::byte>(value);
      static_cast<void>(schema.text_of(broken));
    }
  }
  CHECK_FALSE(schema.text_of({}));
  CHECK_FALSE(schema.text_of(std::vector<std::byte>(64, std::byte{0xff})));
}

TEST_CASE("message json: a schema of a stranger that was cut or changed anywhere harms nobody", "[tools]") {
  const std::string_view good = codec<tap::SampleT>::binary_schema;
  const auto message = encoded(everything());
  for (std::size_t size = 0; size != good.size(); ++size) {
    if (const auto schema = message_json::open(good.substr(0, size), "tap.Sample")) {
      static_cast<void>(schema->text_of(message));
    }
  }
  for (std::size_t at = 0; at != good.size(); ++at) {
    for (const char value : {'\x00', '\x01', '\x11', '\x7f', '\xff'}) {
      std::string broken(good);
      broken[at] = value;
      if (const auto schema = message_json::open(broken, "tap.Sample")) static_cast<void>(schema->text_of(message));
    }
  }
}

TEST_CASE("message json: text of the bound is shown, longer is not", "[tools]") {
  tap::SampleT large;
  const std::size_t around = text_of(large).size() + std::string(R"("text":"",)").size();
  large.text.assign(json_size_max_bytes - around, 'x');
  CHECK(text_of(large).size() == json_size_max_bytes);
  large.text += 'x';
  CHECK(text_of(large) == "none");
}
