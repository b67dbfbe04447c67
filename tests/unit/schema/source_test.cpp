#include "source.hpp"

#include <catch2/catch.hpp>

using namespace amphibus;

namespace {

constexpr std::string_view text = R"(// table Order { id: int; }
namespace other;
table Order { id: int; }
namespace shop;
/* table Order
   enum Kind */
enum Kind : byte {
  one, two }
table Order (topic: "table Order { id") {
  customer: Kind;
  id: int; }
)";

schema::definition named(const std::string& name, bool with_fields) {
  schema::definition out;
  out.name = name;
  if (with_fields) out.fields.emplace_back();
  return out;
}

}  // namespace

TEST_CASE("schema: a definition and its members are found in the text, past comments and strings", "[schema]") {
  CHECK(schema::line_of(text, named("other.Order", true), "") == 3);
  CHECK(schema::line_of(text, named("other.Order", true), "id") == 3);
  CHECK(schema::line_of(text, named("shop.Order", true), "") == 9);
  CHECK(schema::line_of(text, named("shop.Order", true), "id") == 11);
  CHECK(schema::line_of(text, named("shop.Kind", false), "two") == 8);
}

TEST_CASE("schema: what is not in the text has no line, an unknown member that of its definition", "[schema]") {
  CHECK(schema::line_of(text, named("Order", true), "") == 0);
  CHECK(schema::line_of(text, named("shop.Nothing", true), "id") == 0);
  CHECK(schema::line_of(text, named("shop.Order", true), "gone") == 9);
  CHECK(schema::line_of("", named("shop.Order", true), "id") == 0);
  CHECK(schema::line_of("/* never closed", named("shop.Order", true), "id") == 0);
}
