#include <amphibus/config/config.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace amphibus;
using namespace amphibus::config;
using Catch::Contains;

namespace {

const vocabulary shop{{"orders", "billing"}, {"zeromq"}};

std::string errors_of(const std::string& text, const environment& variables = {},
                      const std::vector<std::string>& set = {}) {
  std::string out;
  for (const auto& each : load_text(text, "f.toml", shop, variables, set).errors)
    out += std::string(each.what()) + "\n";
  return out;
}

constexpr const char* two = R"([process.front-Desk]
modules = ["orders"]
endpoint = "ipc:///tmp/a"
[process.back__office]
modules = ["billing"]
endpoint = "ipc:///tmp/b"
)";

}  // namespace

TEST_CASE("load: an unknown key of a process suggests every key, modules included", "[config]") {
  CHECK_THAT(errors_of("[process.a]\nmodule = [\"orders\", \"billing\"]\n"),
             Contains("f.toml:2:1: AMB-E0203") && Contains("did you mean modules?") &&
                 Contains("modules, endpoint, advertise"));
}

TEST_CASE("load: errors about a module stand at the module", "[config]") {
  const auto text = errors_of("[process.a]\nmodules = [\"orders\",\n  \"bilng\", \"orders\",\n  \"billing\"]\n");
  CHECK_THAT(text, Contains("f.toml:3:3: AMB-E0205: module 'bilng'") && Contains("did you mean billing?"));
  CHECK_THAT(text, Contains("f.toml:3:12: AMB-E0206: module 'orders' is listed twice in process a"));
}

TEST_CASE("load: errors without a position follow those with one", "[config]") {
  const auto text = errors_of("[process.a]\nmodules = [\"orders\"]\n[limits]\nx = 1\n", {{"AMPHIBUS_LIMITS__Y", "1"}});
  CHECK(text.find("f.toml:4:1") < text.find("unknown key 'y'"));
  CHECK(text.find("f.toml:4:1") < text.find("'billing' is in no process"));
}

TEST_CASE("load: variables reach process names with dashes, capitals and double underscores", "[config]") {
  const auto got = load_text(two, "f.toml", shop,
                             {{"AMPHIBUS_PROCESS__FRONT_DESK__ENDPOINT", "ipc:///tmp/c"},
                              {"AMPHIBUS_PROCESS__BACK__OFFICE__ENDPOINT", "ipc:///tmp/d"}});
  REQUIRE(got.errors.empty());
  CHECK(got.value.processes[0].endpoint.value == "ipc:///tmp/c");
  CHECK(got.value.processes[0].endpoint.from.where.file == "AMPHIBUS_PROCESS__FRONT_DESK__ENDPOINT");
  CHECK(got.value.processes[1].endpoint.value == "ipc:///tmp/d");
}

TEST_CASE("load: process names that variables cannot tell apart are refused", "[config]") {
  CHECK_THAT(errors_of("[process.a-b]\nmodules=[\"orders\"]\n[process.A_b]\nmodules=[\"billing\"]\n"),
             Contains("f.toml:3:1: AMB-E0206") && Contains("differ only in case or dashes"));
}

TEST_CASE("load: a misspelt section of --set is answered with the nearest", "[config]") {
  CHECK_THAT(errors_of(two, {}, {"limit.ready_deadline=5s"}),
             Contains("AMB-E0203") && Contains("did you mean limits?"));
  CHECK_THAT(errors_of(two, {}, {"rotue.0.level=best_effort"}), Contains("did you mean route?"));
  CHECK_THAT(errors_of(two, {}, {"route.0.level=best_effort"}), Contains("the file has no [[route]]"));
  CHECK_THAT(errors_of(two, {}, {""}), Contains("has no '='"));
  CHECK_THAT(errors_of(two, {}, {"="}), Contains("names no setting"));
}

TEST_CASE("load: escape sequences in variables and arguments are shown, not sent to the terminal", "[config]") {
  const auto text = errors_of(two, {{"AMPHIBUS_LIMITS__X\x1b[1m", "1"}, {"AMPHIBUS_LIMITS__READY_DEADLINE", "\x1b[2m"}},
                              {"limits.\x1b[3m=1", "limits.ready_deadline=\x1b[4m"});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(text, Contains("\\x1b[1m") && Contains("\\x1b[2m") && Contains("\\x1b[3m") && Contains("\\x1b[4m"));
}

TEST_CASE("describe: columns are aligned, however long a name is", "[config]") {
  const std::string name(40, 'n');
  const auto got = load_text("[process." + name + "]\nmodules=[\"orders\", \"billing\"]\n", "f.toml", shop);
  REQUIRE(got.errors.empty());
  const std::string text = describe(got.value);
  CHECK_THAT(text, Contains("process." + name + ".modules") && Contains("orders, billing") && Contains("f.toml:2:10"));
  std::size_t column = 0;
  for (std::size_t begin = 0; begin != text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::size_t here = text.substr(begin, end - begin).find(" = ");
    CHECK((column == 0 || column == here));
    column = here;
    begin = end + 1;
  }
}

TEST_CASE("explain_route: what the environment or the command line changed is named", "[config]") {
  const std::string routed = std::string(two) + "[[route]]\ntopic = \"shop.>\"\ntransport = \"zeromq\"\n";
  const auto got = load_text(routed, "f.toml", shop, {}, {"route.0.overflow=drop_newest"});
  REQUIRE(got.errors.empty());
  CHECK_THAT(explain_route(got.value, "shop.a"),
             Contains("changed    overflow = drop_newest by --set route.0.overflow"));
}

TEST_CASE("routes_digest: moving a border between names changes it", "[config]") {
  configuration one;
  one.processes.push_back({"a", {"x,y"}, {}, {}, {}, {}});
  configuration other;
  other.processes.push_back({"a", {"x", "y"}, {}, {}, {}, {}});
  CHECK(routes_digest(one) != routes_digest(other));
}

TEST_CASE("did_you_mean: near words are found, far and endless ones are not", "[config]") {
  const std::vector<std::string> known{"orders", "billing", "stock"};
  CHECK(did_you_mean("ordres", known) == "orders");
  CHECK(did_you_mean("bilng", known) == "billing");
  CHECK(did_you_mean("shipping", known).empty());
  CHECK(did_you_mean("", known).empty());
  CHECK(did_you_mean(std::string(100'000, 'o'), known).empty());
}
