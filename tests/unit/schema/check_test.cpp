#include "check.hpp"

#include "folder.hpp"
#include "problem.hpp"

using namespace amphibus;
using Catch::Contains;
using schema_test::folder;
using schema_test::printed;

namespace {

constexpr const char* version_one =
    "attribute \"major\";\nnamespace shop;\ntable Item { sku: string; }\ntable Order {\n  id: ulong;\n  item: "
    "Item;\n}\n";

std::string with(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

/// A schema with its lock.
class locked_schema {
 public:
  locked_schema() {
    options_.schemas = {in_.put("shop.fbs", version_one)};
    options_.lock = in_.path("schemas.lock");
    lock();
    REQUIRE(code == 0);
  }
  std::string check(const std::string& text) {
    in_.put("shop.fbs", text);
    return printed([&](std::FILE* out) { return schema::check(options_, out); }, code);
  }
  std::string lock() {
    return printed([&](std::FILE* out) { return schema::write_lock(options_, out); }, code);
  }
  [[nodiscard]] std::string text() const { return in_.text("schemas.lock"); }
  [[nodiscard]] schema::check_options& options() { return options_; }

  int code = -1;

 private:
  folder in_;
  schema::check_options options_;
};

const std::string with_note = with(version_one, "  item: Item;\n", "  item: Item;\n  note: string;\n");
const std::string without_item = with(version_one, "  item: Item;\n", "");

}  // namespace

TEST_CASE("schema check: the same schema is silent", "[schema]") {
  locked_schema shop;
  CHECK(shop.check(version_one).empty());
  CHECK(shop.code == 0);
}

TEST_CASE("schema check: a compatible change passes and says how to promise it", "[schema]") {
  locked_schema shop;
  const auto before = shop.text();
  CHECK_THAT(shop.check(with_note), Contains("+ shop.Order: 2 note string") && Contains("not promised yet") &&
                                        Contains("amphibus schema lock"));
  CHECK(shop.code == 0);
  CHECK(shop.text() == before);
  shop.options().accept = "make promise";
  CHECK_THAT(shop.check(with_note), Contains("mend: make promise"));
}

TEST_CASE("schema check: where exact is asked, a lock that does not know everything fails", "[schema]") {
  locked_schema shop;
  shop.options().exact = true;
  CHECK(shop.check(version_one).empty());
  CHECK(shop.code == 0);
  shop.check(with_note);
  CHECK(shop.code == 1);
}

TEST_CASE("schema check: a broken promise shows rule, place, both definitions and the mend", "[schema]") {
  locked_schema shop;
  CHECK_THAT(shop.check(without_item), Contains("shop.fbs:4: AMB-S07 field_removed: shop.Order.item") &&
                                           Contains("locked: 1 item shop.Item (") && Contains("schemas.lock:10)") &&
                                           Contains("now:    not there") &&
                                           Contains("mend:   take the change back and mark the field (deprecated)") &&
                                           Contains("shop.Order (major: 2)"));
  CHECK(shop.code == 1);
}

TEST_CASE("schema check: every table that contains what changed is named with the major it needs", "[schema]") {
  locked_schema shop;
  const auto changed = with(version_one, "sku: string", "sku: int");
  CHECK_THAT(shop.check(changed), Contains("shop.fbs:3: AMB-S10 field_type: shop.Item.sku") &&
                                      Contains("shop.Item (major: 2), shop.Order (major: 2)"));
  const auto half = with(changed, "Item {", "Item (major: 2) {");
  CHECK_THAT(shop.check(half), Contains("contains it: shop.Order (major: 2)\n"));
  const auto whole = with(half, "table Order {", "table Order (major: 2) {");
  shop.check(whole);
  CHECK(shop.code == 0);
}

TEST_CASE("schema lock: a new major is promised from then on", "[schema]") {
  locked_schema shop;
  const auto next = with(without_item, "table Order {", "table Order (major: 2) {");
  shop.check(next);
  CHECK_THAT(shop.lock(), Contains("+ table shop.Order major 2"));
  CHECK(shop.check(next).empty());
  CHECK_THAT(shop.check(without_item), Contains("AMB-S03 major_lowered"));
}

TEST_CASE("schema lock: a broken promise is not written", "[schema]") {
  locked_schema shop;
  const auto before = shop.text();
  shop.check(without_item);
  CHECK_THAT(shop.lock(), Contains("AMB-S07"));
  CHECK(shop.code == 1);
  CHECK(shop.text() == before);
}

TEST_CASE("schema lock: a table may go when its end is said by name", "[schema]") {
  locked_schema shop;
  const auto without_order = std::string(version_one).substr(0, std::string(version_one).find("table Order"));
  CHECK_THAT(shop.check(without_order),
             Contains("AMB-S01 table_removed: shop.Order") && Contains("--remove shop.Order"));
  shop.lock();
  CHECK(shop.code == 1);
  shop.options().removed = {"shop.Item"};
  shop.lock();
  CHECK(shop.code == 1);
  shop.options().removed = {"shop.Order"};
  shop.lock();
  CHECK(shop.code == 0);
  CHECK(shop.check(without_order).empty());
}

TEST_CASE("schema check: without a lock, or without schemas, there is no yes", "[schema]") {
  folder in;
  schema::check_options options;
  CHECK_THROWS_AS(schema::check(options, stdout), schema::problem);
  options.schemas = {in.put("shop.fbs", version_one)};
  options.lock = in.path("none.lock");
  CHECK_THROWS_WITH(schema::check(options, stdout), Contains("no such lock"));
}

TEST_CASE("schema show: definitions as in a lock, with the hash of each table", "[schema]") {
  folder in;
  schema::check_options options;
  options.schemas = {in.put("shop.fbs", version_one)};
  int code = -1;
  const auto text = printed([&](std::FILE* out) { return schema::show(options, out); }, code);
  CHECK(code == 0);
  CHECK_THAT(text, Contains("table shop.Order major 1\n  0 id ulong = 0\n  1 item shop.Item\n") && Contains("# hash "));
}
