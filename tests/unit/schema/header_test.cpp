#include "header.hpp"

#include "folder.hpp"
#include "problem.hpp"

using namespace amphibus;
using Catch::Contains;
using schema_test::folder;

namespace {

const std::string attributes = "attribute \"major\";\nattribute \"topic\";\nnamespace shop;\n";

}  // namespace

TEST_CASE("header: a schema brings the tables that it declares, and includes the headers of what it includes",
          "[schema]") {
  const folder in;
  in.put("sub/items.fbs", "namespace shop; table Item { sku: string; }");
  const auto path = in.put("orders.fbs", "include \"sub/items.fbs\"; namespace shop; table Order { items: [Item]; }");
  const auto text = schema::header_of(schema::load(path));
  CHECK_THAT(text, Contains("table_traits<::shop::Order>") && Contains("amphibus::codec<::shop::OrderT>") &&
                       Contains("#include \"items_amphibus.h\"") && Contains("#include \"orders_generated.h\""));
  CHECK_THAT(text, !Contains("table_traits<::shop::Item>"));
  CHECK_THAT(text, Contains("orders.fbs includes items.fbs: add it to the SCHEMAS"));
}

TEST_CASE("header: a topic's constant is the table's name in snake case, in the table's namespace", "[schema]") {
  const folder in;
  const auto text = schema::header_of(schema::load(in.put(
      "a.fbs", attributes + "table OrderPlaced (topic: \"a\") { x: int; } table HTTPReply2 (topic: \"b\") { x: int; } "
                            "table plain (topic: \"c\") { x: int; } table ABC_Def (topic: \"d\") { x: int; }")));
  for (const char* const each :
       {"topic<OrderPlacedT> order_placed_topic{\"a\"};", "topic<HTTPReply2T> http_reply2_topic{\"b\"};",
        "topic<plainT> plain_topic{\"c\"};", "topic<ABC_DefT> abc_def_topic{\"d\"};"}) {
    CHECK_THAT(text, Contains(std::string("namespace shop {\ninline constexpr amphibus::") + each));
  }
}

TEST_CASE("header: the traits have the table's topic and key, where it has them", "[schema]") {
  const folder in;
  const auto both = schema::header_of(
      schema::load(in.put("a.fbs", attributes + "table Order (topic: \"shop.orders\") { x: int; id: ulong (key); }")));
  CHECK_THAT(both, Contains("std::string_view topic = \"shop.orders\";") && Contains("std::string_view key = \"id\";"));
  const auto neither = schema::header_of(schema::load(in.put("b.fbs", "table Plain { x: int; }")));
  CHECK_THAT(neither, !Contains("std::string_view topic") && !Contains("std::string_view key"));
}

TEST_CASE("header: two topics of one constant are refused", "[schema]") {
  const folder in;
  const auto schema = schema::load(in.put("a.fbs", attributes + "table OrderPlaced (topic: \"a\") { x: int; } "
                                                                "table order_placed (topic: \"b\") { x: int; }"));
  CHECK_THROWS_WITH(schema::header_of(schema), Contains("order_placed_topic") && Contains("mend"));
}

TEST_CASE("header: one file's tables share one embedded schema, named by its content", "[schema]") {
  const folder in;
  const auto first = schema::header_of(schema::load(in.put("a.fbs", "table A { x: int; } table B { x: int; }")));
  const auto name = first.substr(first.find("schema_"), 23);
  CHECK(first.find("inline constexpr std::string_view " + name) == first.rfind("inline constexpr std::string_view "));
  CHECK_THAT(first, Contains("binary_schema = binary_schemas::" + name));
  const auto second = schema::header_of(schema::load(in.put("a.fbs", "table A { x: int; } table B { x: long; }")));
  CHECK_THAT(second, !Contains(name));
}

TEST_CASE("header: what a build watches is the schema and all that it includes, blanks kept together", "[schema]") {
  const folder in;
  in.put("my parts/b.fbs", "table B { x: int; }");
  const auto watched =
      schema::watched_by(schema::load(in.put("a.fbs", "include \"my parts/b.fbs\"; table A { b: B; }")));
  CHECK_THAT(watched, Contains(" " + in.path("a.fbs")) && Contains(" " + in.path("") + "my\\ parts/b.fbs"));
}
