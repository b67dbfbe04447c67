#include "control.hpp"

#include <catch2/catch.hpp>

#include <cstring>

using namespace amphibus::zeromq;

namespace {

control_message sample() {
  hello out;
  out.process = "front";
  out.routes_digest = 77;
  out.data_endpoints = {"tcp://127.0.0.1:20001", "tcp://127.0.0.1:20002"};
  out.revision = 3;
  out.topics = {{"shop.a", 0, "shop.order", 1, 5, true}, {"shop.b", 1, "shop.order", 2, 6, false}};
  out.patterns = {{">", "", 0}, {"shop.*", "shop.order", 1}};
  out.groups = {{"shop.*", "packers"}, {"shop.a", "printers"}};
  return {42, out};
}

}  // namespace

TEST_CASE("control: every kind of message is read as it was written", "[zeromq]") {
  control_message back;
  REQUIRE(decode(encode(sample()), back) == nullptr);
  CHECK(back.incarnation == 42);
  const auto& got = std::get<hello>(back.body);
  CHECK(got.process == "front");
  CHECK(got.data_endpoints.size() == 2);
  CHECK(got.topics == std::get<hello>(sample().body).topics);
  CHECK(got.patterns == std::get<hello>(sample().body).patterns);
  CHECK(got.groups == std::get<hello>(sample().body).groups);
  for (const control_body& body :
       {control_body{update{9, got.topics, got.patterns, got.groups}}, control_body{ready{}}, control_body{ping{}},
        control_body{bye{}}, control_body{bye_ok{}}, control_body{reject{305, "routes"}}, control_body{observe{}},
        control_body{observed{"front", "ipc:///tmp/x.tap"}}, control_body{describe{"shop.a"}},
        control_body{described{"shop.a", "shop.order", 1, 2, "schema"}}}) {
    REQUIRE(decode(encode({1, body}), back) == nullptr);
    CHECK(back.body.index() == body.index());
  }
}

TEST_CASE("control: a message cut at any byte is refused", "[zeromq]") {
  const auto of_sample = std::get<hello>(sample().body);
  for (const control_body& body :
       {control_body{of_sample}, control_body{update{9, of_sample.topics, of_sample.patterns, of_sample.groups}},
        control_body{observe{}}, control_body{observed{"front", "ipc:///tmp/x.tap"}}, control_body{describe{"shop.a"}},
        control_body{described{"shop.a", "shop.order", 1, 2, "schema"}}}) {
    const auto bytes = encode({42, body});
    control_message back;
    for (std::size_t size = 0; size != bytes.size(); ++size) {
      CHECK(decode(std::span(bytes).first(size), back) != nullptr);
    }
  }
}

TEST_CASE("control: more patterns than the bound are refused before they are read", "[zeromq]") {
  update many;
  many.patterns.assign(control_patterns_max, {"shop.*", "shop.order", 1});
  control_message back;
  CHECK(decode(encode({1, many}), back) == nullptr);
  many.patterns.push_back(many.patterns.front());
  CHECK_THAT(decode(encode({1, many}), back), Catch::Contains("more than 1,000 patterns"));
}

TEST_CASE("control: more groups than the bound are refused before they are read", "[zeromq]") {
  update many;
  many.groups.assign(control_groups_max, {"shop.*", "packers"});
  control_message back;
  CHECK(decode(encode({1, many}), back) == nullptr);
  many.groups.push_back(many.groups.front());
  CHECK_THAT(decode(encode({1, many}), back), Catch::Contains("more than 1,000 groups"));
}

TEST_CASE("control: of too many topics one more than the bound is read, so that they can be refused by name",
          "[zeromq]") {
  const std::vector<control_topic> many(control_topics_max + 500, {"t", 0, "t", 1, 1, false});
  auto greeting = std::get<hello>(sample().body);
  greeting.topics = many;
  control_message back;
  REQUIRE(decode(encode({1, greeting}), back) == nullptr);
  CHECK(std::get<hello>(back.body).topics.size() == control_topics_max + 1);
  REQUIRE(decode(encode({1, update{1, many, {}}}), back) == nullptr);
  CHECK(std::get<update>(back.body).topics.size() == control_topics_max + 1);
}

TEST_CASE("control: counts, lengths, routes and names that lie are refused", "[zeromq]") {
  control_message back;
  auto bytes = encode(sample());
  for (std::size_t at = 16; at + 4 <= bytes.size(); ++at) {
    auto broken = bytes;
    const std::uint32_t lie = 0xffffffff;
    std::memcpy(broken.data() + at, &lie, sizeof lie);
    decode(broken, back);  // whatever it says, it must not read beyond or allocate by the lie
  }
  auto strange = sample();
  std::get<hello>(strange.body).topics[0].name = "a b";
  CHECK_THAT(decode(encode(strange), back), Catch::Contains("grammar"));
  strange = sample();
  std::get<hello>(strange.body).topics[0].route = 2;
  CHECK_THAT(decode(encode(strange), back), Catch::Contains("route that does not exist"));
  for (const char* const pattern : {"", "shop.>.x", "shop*", "shop..x", "\xff"}) {
    strange = sample();
    std::get<hello>(strange.body).patterns[1].text = pattern;
    CHECK_THAT(decode(encode(strange), back), Catch::Contains("pattern breaks the grammar"));
  }
}

TEST_CASE("control: a schema of the bound is read, a larger one and one that ends early are refused", "[zeromq]") {
  described about{"shop.a", "shop.order", 1, 2, std::string(control_schema_size_max_bytes, 's')};
  control_message back;
  REQUIRE(decode(encode({1, about}), back) == nullptr);
  CHECK(std::get<described>(back.body).binary_schema == about.binary_schema);
  about.binary_schema += 's';
  CHECK_THAT(decode(encode({1, about}), back), Catch::Contains("larger than 256 KiB"));
  about.binary_schema = "schema";
  auto bytes = encode({1, about});
  const std::uint32_t lie = 7;
  std::memcpy(bytes.data() + bytes.size() - 6 - sizeof lie, &lie, sizeof lie);
  CHECK_THAT(decode(bytes, back), Catch::Contains("ends too early"));
}

TEST_CASE("control: an observer asks for topics, and for nothing else", "[zeromq]") {
  control_message back;
  for (const char* const name : {"", "shop.*", "shop..a", "\xff"}) {
    CHECK_THAT(decode(encode({1, describe{name}}), back), Catch::Contains("grammar"));
    CHECK_THAT(decode(encode({1, described{name, "t", 1, 1, ""}}), back), Catch::Contains("grammar"));
  }
}

TEST_CASE("control: an observer of another protocol comes through with its range only", "[zeromq]") {
  auto bytes = encode({1, observe{7, 9}});
  bytes.push_back(std::byte{1});  // whatever that protocol says more
  control_message back;
  REQUIRE(decode(bytes, back) == nullptr);
  CHECK(std::get<observe>(back.body).protocol_max == 9);
}

TEST_CASE("control: a hello of another protocol comes through with its range only", "[zeromq]") {
  auto strange = sample();
  std::get<hello>(strange.body).protocol_min = 7;
  std::get<hello>(strange.body).protocol_max = 9;
  control_message back;
  REQUIRE(decode(encode(strange), back) == nullptr);
  CHECK(std::get<hello>(back.body).protocol_max == 9);
  CHECK(std::get<hello>(back.body).process.empty());
}

TEST_CASE("control: unknown types, bytes that are left and texts over the limit are refused", "[zeromq]") {
  control_message back;
  auto bytes = encode({1, ping{}});
  bytes[4] = std::byte{11};  // one more than there are
  CHECK_THAT(decode(bytes, back), Catch::Contains("unknown type"));
  bytes = encode({1, ping{}});
  bytes.push_back(std::byte{0});
  CHECK_THAT(decode(bytes, back), Catch::Contains("bytes are left"));
  for (const std::size_t size : {control_text_size_max_bytes - 1, control_text_size_max_bytes}) {
    REQUIRE(decode(encode({1, reject{1, std::string(size, 'x')}}), back) == nullptr);
    CHECK(std::get<reject>(back.body).text.size() == size);
  }
  bytes = encode({1, reject{1, std::string(control_text_size_max_bytes, 'x')}});
  bytes.push_back(std::byte{'x'});
  const auto longer = static_cast<std::uint16_t>(control_text_size_max_bytes + 1);
  std::memcpy(bytes.data() + 18, &longer, sizeof longer);
  CHECK_THAT(decode(bytes, back), Catch::Contains("longer than 1,024 bytes"));
}

TEST_CASE("control: a text that is too long to be understood is cut when it is written", "[zeromq]") {
  control_message back;
  REQUIRE(decode(encode({1, reject{305, std::string(70'000, 'x')}}), back) == nullptr);
  CHECK(std::get<reject>(back.body).text == std::string(control_text_size_max_bytes, 'x'));
}
