// The suite itself: complete, and red where a transport breaks what it claims.
#include <amphibus/testing/conformance.hpp>
#include <amphibus/testing/fault_points.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>

using namespace amphibus;

namespace {

using promise = transport::capabilities;

struct collecting_reporter final : testing::reporter {
  void failed(std::string_view what) override { failures.emplace_back(what); }
  std::vector<std::string> failures;
};

const testing::conformance_case& find_case(std::string_view name) {
  const auto all = testing::conformance_cases();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

/// ZeroMQ that loses, repeats or swaps every fiftieth message behind its own checks.
struct sabotaged {
  testing::fault_points faults;
  testing::subject subject = testing::over(
      "sabotaged", [this] { return zeromq::transport({.faults = &faults}); }, testing::fresh_ipc_endpoints(), "broken");
};

}  // namespace

TEST_CASE("conformance: every guarantee is checked by a case, and every case checks a guarantee", "[testing]") {
  std::set<std::string_view> promised;
  for (const auto& each : testing::guarantees()) promised.insert(each.name);
  std::set<std::string_view> checked;
  std::set<std::string_view> names;
  for (const auto& each : testing::conformance_cases()) {
    INFO(each.name);
    CHECK_FALSE(each.checks.empty());
    CHECK(names.insert(each.name).second);
    checked.insert(each.checks.begin(), each.checks.end());
  }
  CHECK(checked == promised);
}

TEST_CASE("conformance: every capability chooses a case", "[testing]") {
  const auto chooses = [](bool promise::*which) {
    const auto all = testing::conformance_cases();
    return std::any_of(all.begin(), all.end(), [which](const auto& each) {
      return std::find(each.needs.begin(), each.needs.end(), which) != each.needs.end();
    });
  };
  for (const auto each : {&promise::ordered_per_source, &promise::lossless_while_connected,
                          &promise::free_of_duplicates, &promise::counts_losses, &promise::paces_publishers,
                          &promise::separates_routes, &promise::ready_means_joined}) {
    CHECK(chooses(each));
  }
}

TEST_CASE("conformance: a transport that loses, repeats or swaps is red", "[testing]") {
  const auto& many = find_case("many publishers to many subscribers, small messages");
  const auto fault_of = [&](base::fault_action action) {
    sabotaged broken;
    broken.faults.arm("zeromq.deliver", action, 50);
    collecting_reporter found;
    CHECK_FALSE(testing::run_case(many, broken.subject, found));
    REQUIRE_FALSE(found.failures.empty());
    return found.failures;
  };
  const auto tells = [](const std::vector<std::string>& failures, const std::string& of) {
    return std::any_of(failures.begin(), failures.end(), [&](const auto& each) { return each.find(of) == 0; });
  };
  CHECK(tells(fault_of(base::fault_action::duplicate), "duplicate: "));
  CHECK(tells(fault_of(base::fault_action::swap), "reordering: "));
}

TEST_CASE("conformance: what a transport does not claim is neither asked nor shown as promised", "[testing]") {
  sabotaged modest;
  modest.subject.promises.paces_publishers = false;
  CHECK_FALSE(testing::applies(find_case("a refused publish reaches nobody"), modest.subject));
  CHECK(testing::applies(find_case("topics do not mix"), modest.subject));
  CHECK_FALSE(testing::applies(find_case("a late subscription begins at once"), modest.subject));
  const std::array subjects{testing::in_process(), modest.subject};
  CHECK_THAT(testing::guarantee_table(subjects), Catch::Contains("| in one process | broken |") &&
                                                     Catch::Contains("`would_block`") &&
                                                     Catch::Contains("| not promised |"));
}

TEST_CASE("conformance: a case that throws has failed", "[testing]") {
  const testing::conformance_case throwing{
      "throws", {"order"}, {}, testing::case_scope::everywhere, [](const testing::subject&, testing::reporter&) {
        throw error(error_code::bad_option, "on purpose", "none");
      }};
  collecting_reporter found;
  CHECK_FALSE(testing::run_case(throwing, testing::in_process(), found));
  REQUIRE(found.failures.size() == 1);
  CHECK_THAT(found.failures[0], Catch::Contains("on purpose"));
}
