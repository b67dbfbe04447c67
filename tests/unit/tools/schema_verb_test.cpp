#include "verb.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "folder.hpp"

using namespace amphibus;
using Catch::Contains;
using schema_test::folder;

namespace {

/// What `amphibus ARGUMENTS` returns.
int run_verb(std::vector<std::string> arguments) {
  CLI::App app;
  cli::action run;
  cli::add_schema(app, run);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  app.parse(arguments);
  return run();
}

}  // namespace

TEST_CASE("schema verb: an option takes one value, and every file behind it is a schema", "[tools]") {
  const folder in;
  const auto a = in.put("a.fbs", "include \"items.fbs\"; table A { item: Item; }");
  const auto b = in.put("b.fbs", "table B { x: int; }");
  static_cast<void>(in.put("parts/items.fbs", "table Item { x: int; }"));
  const auto lock = in.path("schemas.lock");
  REQUIRE(run_verb({"schema", "lock", "--lock", lock, "-I", in.path("parts"), a, b}) == 0);
  CHECK_THAT(in.text("schemas.lock"), Contains("table A") && Contains("table B"));
  const auto changed = in.put("b.fbs", "table C { x: int; }");
  REQUIRE(run_verb({"schema", "lock", "--lock", lock, "--remove", "B", "-I", in.path("parts"), a, changed}) == 0);
  CHECK_THAT(in.text("schemas.lock"), Contains("table A") && !Contains("table B") && Contains("table C"));
}
