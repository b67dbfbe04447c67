#include <amphibus/config/config.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace amphibus;
using namespace amphibus::config;
using Catch::Contains;

namespace {

const vocabulary shop{{"orders", "billing", "stock"}, {"zeromq"}};

constexpr const char* good = R"([process.front]
modules  = ["orders"]
endpoint = "tcp://127.0.0.1:7701"
[process.back]
modules  = ["billing", "stock"]
endpoint = "tcp://127.0.0.1:7702"

[[route]]
topic = "shop.audit.>"
transport = "inproc"
[[route]]
topic = "shop.>"
transport = "zeromq"
level = "best_effort"
overflow = "block"

[limits]
ready_deadline = "20s"
)";

std::string all(const loaded& from) {
  std::string out;
  for (const auto& each : from.errors) out += std::string(each.what()) + "\n";
  return out;
}

std::string errors_of(const std::string& text, const environment& variables = {},
                      const std::vector<std::string>& set = {}) {
  return all(load_text(text, "shop.toml", shop, variables, set));
}

std::string with(const std::string& lines) { return std::string(good) + lines; }

}  // namespace

TEST_CASE("load: a good file gives processes in file order, routes and limits", "[config]") {
  const auto got = load_text(good, "shop.toml", shop);
  REQUIRE(all(got).empty());
  REQUIRE(got.value.processes.size() == 2);
  CHECK(got.value.processes[0].name == "front");
  CHECK(got.value.processes[1].modules == std::vector<std::string>{"billing", "stock"});
  CHECK(got.value.routes[1].overflow.value == overflow::block);
  CHECK(got.value.ready_deadline.value == std::chrono::seconds(20));
  CHECK(got.value.ready_deadline.from.where.line == 18);
}

TEST_CASE("load: an empty file is one process without routes", "[config]") {
  const auto got = load_text("", "empty.toml", shop);
  CHECK(got.errors.empty());
  CHECK(got.value.processes.empty());
}

TEST_CASE("load: all errors are reported at once, in file order, with position and suggestion", "[config]") {
  const auto text = errors_of(
      "[limits]\nready_deadlin = \"5s\"\npeer_stall_max = \"5\"\n[[route]]\ntopic = \"a..b\"\ntransport = "
      "\"zermq\"\noverflow = \"drop\"\n[proces.x]\n");
  INFO(text);
  CHECK_THAT(text, Contains("shop.toml:2:1: AMB-E0203: unknown key 'ready_deadlin' in limits"));
  CHECK_THAT(text, Contains("did you mean ready_deadline?"));
  CHECK_THAT(text, Contains("shop.toml:3:18: AMB-E0204: limits.peer_stall_max is '5'") && Contains("500ms"));
  CHECK_THAT(text, Contains("shop.toml:5:9: AMB-E0204") && Contains("empty token at byte 2"));
  CHECK_THAT(text, Contains("shop.toml:6:13: AMB-E0205: transport 'zermq'") && Contains("did you mean zeromq?"));
  CHECK_THAT(text, Contains("shop.toml:7:12") && Contains("block or drop_newest"));
  CHECK_THAT(text, Contains("shop.toml:8") && Contains("did you mean process?"));
  CHECK(text.find("ready_deadlin") < text.find("peer_stall_max"));
}

TEST_CASE("load: names and pairs that do not fit are refused", "[config]") {
  CHECK_THAT(errors_of(with("[process.third]\nmodules=[\"orders\"]\nendpoint=\"tcp://127.0.0.1:7701\"\n")),
             Contains("module 'orders' is in process front and in process third") && Contains("same endpoint"));
  CHECK_THAT(errors_of("[process.a]\nmodules=[\"ordres\"]\n"),
             Contains("did you mean orders?") && Contains("'billing' is in no process"));
  CHECK_THAT(errors_of("[[route]]\ntopic=\"a\"\ntransport=\"zeromq\"\n"),
             Contains("AMB-E0206") && Contains("no processes"));
  CHECK_THAT(errors_of("[[route]]\n"), Contains("no topic") && Contains("no transport"));
  CHECK_THAT(errors_of("[process.a]\nmodules=[\"orders\",\"billing\",\"stock\"]\n[process.b]\n[[route]]\ntopic="
                       "\"a\"\ntransport=\"zeromq\"\n"),
             Contains("process a has no endpoint") && Contains("process b has no endpoint"));
  CHECK_THAT(errors_of("[[route]]\ntopic=\"a\"\ntransport=\"inproc\"\nlevel=\"durable\"\n"),
             Contains("this version does not provide"));
}

TEST_CASE("load: wrong types, broken TOML, duplicates and hostile text are refused and escaped", "[config]") {
  CHECK_THAT(errors_of("process = 3\n"), Contains("process is not a table"));
  CHECK_THAT(errors_of("route = 3\n"), Contains("two brackets"));
  CHECK_THAT(errors_of("[process.a]\nmodules = \"orders\"\n"), Contains("list of names"));
  CHECK_THAT(errors_of("[limits]\nready_deadline = true\n"), Contains("wrong type"));
  CHECK_THAT(errors_of("[limits\n"), Contains("AMB-E0202") && Contains("shop.toml:1"));
  CHECK_THAT(errors_of("[limits]\nready_deadline=\"1s\"\nready_deadline=\"1s\"\n"), Contains("AMB-E0202"));
  CHECK_THAT(errors_of("\"a\\u001b[1m\" = 1\n"), Contains("\\x1b[1m"));
  CHECK_THAT(errors_of(std::string(10'000, '[')), Contains("AMB-E0202"));
  CHECK_THAT(errors_of(std::string("a = \"\xff\xfe\"\n")), Contains("AMB-E0202"));
  CHECK(errors_of(std::string("\xef\xbb\xbf") + good).empty());
}

TEST_CASE("load: the environment wins over the file and the command line over both", "[config]") {
  const environment variables{{"AMPHIBUS_LIMITS__READY_DEADLINE", "30s"},
                              {"AMPHIBUS_ROUTE__1__OVERFLOW", "drop_newest"},
                              {"AMPHIBUS_SANITIZER", "thread"},
                              {"AMPHIBUS_PROCESS__FRONT__ENDPOINT", "ipc:///tmp/x"}};
  auto got = load_text(good, "shop.toml", shop, variables, {"limits.ready_deadline=40s"});
  REQUIRE(all(got).empty());
  CHECK(got.value.ready_deadline.value == std::chrono::seconds(40));
  CHECK(got.value.routes[1].overflow.value == overflow::drop_newest);
  CHECK(got.value.processes[0].endpoint.value == "ipc:///tmp/x");
  const auto text = describe(got.value);
  CHECK_THAT(text, Contains("--set limits.ready_deadline=40s") && Contains("environment AMPHIBUS_ROUTE__1__OVERFLOW") &&
                       Contains("shop.toml:6:12") && Contains("# default"));
}

TEST_CASE("load: overrides that name nothing are errors", "[config]") {
  CHECK_THAT(errors_of(good, {{"AMPHIBUS_LIMITS__READY", "1s"}}), Contains("unknown key 'ready'"));
  CHECK_THAT(errors_of(good, {}, {"process.frnt.endpoint=ipc://x"}), Contains("did you mean front?"));
  CHECK_THAT(errors_of(good, {}, {"route.7.overflow=block"}), Contains("0 to 1"));
  CHECK_THAT(errors_of(good, {}, {"nonsense"}), Contains("has no '='"));
}

TEST_CASE("load_file: a missing file and a directory are named", "[config]") {
  CHECK_THAT(all(load_file("/nonexistent/x.toml", shop)), Contains("AMB-E0201") && Contains("no such file"));
  CHECK_THAT(all(load_file("/", shop)), Contains("not a regular file"));
}

TEST_CASE("find_route: the first match wins and explain_route names its line", "[config]") {
  const auto got = load_text(good, "shop.toml", shop).value;
  CHECK(find_route(got, "shop.audit.x") == 0U);
  CHECK(find_route(got, "shop.orders") == 1U);
  CHECK_FALSE(find_route(got, "other"));
  CHECK_THAT(explain_route(got, "shop.orders"),
             Contains("over zeromq") && Contains("shop.toml:11") && Contains("passed"));
  CHECK_THAT(explain_route(got, "other"), Contains("stays in the process; no route matches"));
}

TEST_CASE("routes_digest: differs when a route or a module differs, not when an endpoint does", "[config]") {
  const auto one = load_text(good, "a.toml", shop).value;
  auto moved = one;
  moved.processes[0].endpoint.value = "ipc:///tmp/y";
  CHECK(routes_digest(one) == routes_digest(moved));
  moved.routes[1].overflow.value = overflow::drop_newest;
  CHECK(routes_digest(one) != routes_digest(moved));
}
