#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/transport/transport.hpp>

#include <catch2/catch.hpp>

#include "detail/placement.hpp"

using namespace amphibus;

namespace {

/// Somebody else's transport: it promises nothing and finds one fault of its own.
class humble_transport final : public transport::transport {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "pigeon"; }
  [[nodiscard]] amphibus::transport::capabilities capabilities() const override { return {}; }
  [[nodiscard]] std::vector<error> check(const amphibus::transport::settings& with) const override {
    return {error(error_code::endpoint_invalid, "no loft at '" + with.endpoint + "'", "build one")};
  }
  [[nodiscard]] result<std::unique_ptr<amphibus::transport::session>> open(amphibus::transport::settings,
                                                                           amphibus::transport::host&) override {
    return error(error_code::endpoint_in_use, "never opened in this test", "nothing");
  }
};

config::configuration two_processes() {
  config::configuration out;
  for (const std::string name : {"a", "b"}) {
    config::process each;
    each.name = name;
    each.endpoint.value = "loft://" + name;
    out.processes.push_back(each);
  }
  config::route all;
  all.topic.value = "t.>";
  all.transport.value = "pigeon";
  out.routes.push_back(all);
  return out;
}

}  // namespace

TEST_CASE("placement: a level that the transport does not keep is an error beside the transport's own", "[engine]") {
  bus b;
  std::vector<std::unique_ptr<transport::transport>> transports;
  transports.push_back(std::make_unique<humble_transport>());
  const auto file = two_processes();
  const detail::placement placed(*b.core(), file, "a", transports);
  const auto errors = placed.check();
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].code() == error_code::unsupported_level);
  CHECK_THAT(errors[0].what(),
             Catch::Contains("'t.>'") && Catch::Contains("best_effort") && Catch::Contains("'pigeon'"));
  CHECK_THAT(errors[1].what(), Catch::Contains("loft://a"));
}

TEST_CASE("placement: what retains messages may not go over a transport that hands nothing to who joins", "[engine]") {
  bus b;
  std::vector<std::unique_ptr<transport::transport>> transports;
  transports.push_back(std::make_unique<humble_transport>());
  auto file = two_processes();
  file.routes[0].retain = {{1}, {config::origin_kind::file, {"services.toml", 7, 1}}};
  file.routes[0].where = {"services.toml", 4, 1};
  const auto errors = detail::placement(*b.core(), file, "a", transports).check();
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].code() == error_code::unsupported_retention);
  CHECK_THAT(errors[0].what(), Catch::Contains("services.toml:4:1") && Catch::Contains("'t.>'") &&
                                   Catch::Contains("'pigeon'") && Catch::Contains("retain is set"));

  const auto plain_file = two_processes();
  const detail::placement placed(*b.core(), plain_file, "a", transports);
  CHECK(placed.retained("t.readings", {}).per_key == 0);
  CHECK(placed.retained("elsewhere", {5}).per_key == 5);
  try {
    static_cast<void>(placed.retained("t.readings", {1}));
    FAIL("it is not refused");
  } catch (const error& why) {
    CHECK(why.code() == error_code::unsupported_retention);
    CHECK_THAT(why.what(), Catch::Contains("topic 't.readings' retains messages") && Catch::Contains("'t.>'"));
  }
}

TEST_CASE("bus: a route without its transport, and two transports of one name, are refused before anything is opened",
          "[engine]") {
  const auto code_of = [](transport_list given) {
    try {
      const bus b(two_processes(), {.process = "a"}, std::move(given));
    } catch (const error& why) {
      return why.code();
    }
    return error_code{};
  };
  CHECK(code_of({}) == error_code::config_unknown_name);
  CHECK(code_of(transports(std::make_unique<humble_transport>(), std::make_unique<humble_transport>())) ==
        error_code::config_conflict);
}

TEST_CASE("placement: with one process nothing is asked of any transport", "[engine]") {
  bus b;
  std::vector<std::unique_ptr<transport::transport>> transports;
  transports.push_back(std::make_unique<humble_transport>());
  auto file = two_processes();
  file.processes.pop_back();
  const detail::placement placed(*b.core(), file, "a", transports);
  CHECK(placed.check().empty());
}
