#include "load.hpp"

#include "folder.hpp"
#include "problem.hpp"

using namespace amphibus;
using Catch::Contains;
using schema_test::folder;

namespace {

const std::string attributes = "attribute \"major\";\nattribute \"topic\";\n";

std::string refusal(const std::string& text) {
  const folder in;
  try {
    schema::load(in.put("shop.fbs", attributes + text));
  } catch (const schema::problem& why) {
    return why.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("schema: load reads everything that evolution depends on", "[schema]") {
  const folder in;
  const auto schema = schema::load(in.put("shop.fbs", attributes + R"(
    namespace shop;
    enum Kind : ubyte { one = 1, two }
    enum Flags : uint (bit_flags) { a, b }
    struct Point { x: int; y: short; z: [ubyte:3]; }
    table Card { number: string (required); }
    union Payment { Card }
    table Order (major: 2, topic: "shop.orders") {
      id: ulong (key); kind: Kind = two; flags: Flags; at: Point; pay: Payment; ratio: double = 1.5; maybe: int = null;
      old: int (deprecated); cards: [Card];
    }
    root_type Order;
    file_identifier "SHOP";
  )"));
  const auto& definitions = schema.content.definitions;
  CHECK(schema::text_of(definitions.at("shop.Order")) ==
        "table shop.Order major 2 topic shop.orders\n"
        "  0 id ulong = 0 key\n  1 kind shop.Kind = 2\n  2 flags shop.Flags = 0\n  3 at shop.Point\n"
        "  5 pay shop.Payment\n  6 ratio double = 1.5\n  7 maybe int = null\n  8 old int = 0 deprecated\n"
        "  9 cards [shop.Card]\n");
  CHECK(schema::text_of(definitions.at("shop.Kind")) == "enum shop.Kind ubyte\n  1 one\n  2 two\n");
  CHECK(schema::text_of(definitions.at("shop.Flags")) == "enum shop.Flags uint bit_flags\n  1 a\n  2 b\n");
  CHECK(schema::text_of(definitions.at("shop.Point")) ==
        "struct shop.Point size 12 align 4\n  0 x int\n  4 y short\n  6 z [ubyte:3]\n");
  CHECK(schema::text_of(definitions.at("shop.Payment")) == "union shop.Payment\n  1 Card shop.Card\n");
  CHECK(schema::text_of(definitions.at("shop.Card")) == "table shop.Card major 1\n  0 number string required\n");
  CHECK(schema::file_line(schema.content.files.at("shop.fbs")) == "file shop.fbs root shop.Order identifier SHOP");
}

TEST_CASE("schema: the hash of a table covers what it reaches and nothing else", "[schema]") {
  const folder in;
  const auto hash = [&](const std::string& kind, const std::string& other) {
    const auto schema = schema::load(
        in.put("a.fbs", "enum Kind : byte { " + kind + " } table Item { k: [Kind]; } table Order { items: [Item]; } " +
                            "table Other { " + other + " }"));
    return schema::hash_of(schema.content, "Order");
  };
  CHECK(hash("one", "x: int;") == hash("one", "y: string;"));
  CHECK(hash("one", "x: int;") != hash("one, two", "x: int;"));
}

TEST_CASE("schema: a table that contains itself has an end", "[schema]") {
  const folder in;
  const auto schema = schema::load(in.put("a.fbs", "table Tree { left: Tree; right: [Tree]; }"));
  CHECK(schema::reach(schema.content, "Tree").size() == 1);
}

TEST_CASE("schema: included files are found beside the schema and in include folders", "[schema]") {
  const folder in;
  in.put("schemas/sub/item.fbs", "namespace shop; table Item { sku: string; }");
  in.put("elsewhere/money.fbs", "namespace shop; struct Money { pence: long; }");
  const auto path = in.put("schemas/shop.fbs",
                           "include \"sub/item.fbs\"; include \"money.fbs\"; namespace shop; "
                           "table Order { items: [Item]; paid: Money; }");
  CHECK_THROWS_AS(schema::load(path), schema::problem);
  const auto schema = schema::load(path, {in.path("schemas"), {in.path("elsewhere")}});
  CHECK(schema.file == "shop.fbs");
  CHECK(schema.content.definitions.at("shop.Order").file == "shop.fbs");
  CHECK(schema.content.definitions.at("shop.Item").file == "sub/item.fbs");
  CHECK(schema.path_of(schema.content.definitions.at("shop.Money").file) == in.path("elsewhere/money.fbs"));
  REQUIRE(schema.files.size() == 3);
}

TEST_CASE("schema: what is generated does not depend on where the sources lie", "[schema]") {
  const folder one;
  const folder other;
  const std::string text = "table Order { id: int; }";
  CHECK(schema::load(one.put("a.fbs", text)).bytes == schema::load(other.put("a.fbs", text)).bytes);
}

TEST_CASE("schema: what Amphibus cannot keep is refused, with the mend", "[schema]") {
  CHECK_THAT(refusal("table A { b: [ubyte] (nested_flatbuffer: \"A\"); }"), Contains("A.b is a nested_flatbuffer"));
  CHECK_THAT(refusal("table A { b: [ubyte] (flexbuffer); }"), Contains("A.b is a flexbuffer"));
  CHECK_THAT(refusal("table A { x: int; } union U { A } table T { u: [U]; }"), Contains("T.u is a vector of unions"));
  CHECK(refusal("table A { x: int; } union U { A } table B { u: U; } table T { u: [B]; }") == "accepted");
  CHECK_THAT(refusal("struct A (topic: \"a\") { b: int; }"), Contains("only tables are messages"));
  CHECK_THAT(refusal("struct A (major: 2) { b: int; }"), Contains("only tables are messages"));
  CHECK_THAT(refusal("table A (topic: \"a..b\") { b: int; }"), Contains("topic of A") && Contains("byte 2"));
  CHECK_THAT(refusal("table A { b: Nowhere }"), Contains("shop.fbs:3"));
  for (const char* const each : {"0", "65536", "-1", "\"x\"", "\"2x\""}) {
    INFO(each);
    CHECK_THAT(refusal("table A (major: " + std::string(each) + ") { b: int; }"), Contains("allowed: 1 to 65535"));
  }
  CHECK(refusal("table A (major: 1) { b: int; }") == "accepted");
  CHECK(refusal("table A (major: 65535) { b: int; }") == "accepted");
}

TEST_CASE("schema: files that include each other are refused, because flatc's code cannot", "[schema]") {
  const folder in;
  in.put("b.fbs", "include \"a.fbs\"; table B { a: int; }");
  const auto path = in.put("a.fbs", "include \"b.fbs\"; table A { b: B; }");
  CHECK_THROWS_WITH(schema::load(path), Contains("includes itself") && Contains("b.fbs"));
}

TEST_CASE("schema: a binary schema that is damaged anywhere is refused or harmless", "[schema]") {
  const folder in;
  const auto whole = schema::load(in.put("a.fbs",
                                         "enum E : byte { x } struct S { x: [int:2]; } table A { s: S; e: [E]; } "
                                         "union U { A } table T { u: U; ts: [A]; }"))
                         .bytes;
  CHECK(schema::load_binary(whole, "a.bfbs").content.definitions.size() == 5);
  std::size_t refused = 0;
  for (std::size_t at = 0; at != whole.size(); ++at) {
    for (const char to : {'\0', '\x7f', '\xff'}) {
      auto damaged = whole;
      damaged[at] = to;
      try {
        schema::load_binary(damaged, "a.bfbs");
      } catch (const schema::problem&) {
        ++refused;
      }
    }
  }
  CHECK(refused > whole.size() / 10);
  CHECK_THROWS_AS(schema::load_binary(whole.substr(0, whole.size() / 2), "a.bfbs"), schema::problem);
  CHECK_THROWS_AS(schema::load_binary("", "a.bfbs"), schema::problem);
  CHECK_THROWS_WITH(schema::load(in.path("none.bfbs")), Contains("cannot be read") && Contains("mend"));
}

TEST_CASE("schema: one name with two contents is refused, naming both files", "[schema]") {
  const folder in;
  auto one = schema::load(in.put("a.fbs", "table Order { id: int; }")).content;
  const auto same = schema::load(in.put("b.fbs", "table Order { id: int; }")).content;
  const auto other = schema::load(in.put("c.fbs", "table Order { id: long; }")).content;
  CHECK_NOTHROW(schema::merge(one, same));
  CHECK_THROWS_WITH(schema::merge(one, other), Contains("a.fbs") && Contains("c.fbs"));
}
