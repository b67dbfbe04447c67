#include <amphibus/testing/test_bus.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

struct order {
  int pence;
};
constexpr topic<order> orders{"t.orders"};
constexpr topic<std::string> invoices{"t.invoices"};

}  // namespace

TEST_CASE("test_bus: a handler is tested in five lines, without a thread or a wait", "[testing]") {
  testing::test_bus t;
  auto billing = t.bus().subscribe(orders, [&](const order& o) { t.bus().publish(invoices, std::to_string(o.pence)); });
  t.bus().publish(orders, {1999});
  CHECK(t.published(invoices).empty());
  CHECK(t.run_until_idle() == 1);
  CHECK(t.published(invoices) == std::vector<std::string>{"1999"});
  CHECK(t.published(orders).size() == 1);
  t.forget_published();
  CHECK(t.published(orders).empty());
}

TEST_CASE("test_bus: a context made by hand says what it was told", "[testing]") {
  testing::test_bus t;
  const message_id conversation{{1, 2}, 3};
  const auto with = t.context_for(
      orders, {.key = "k", .headers = {{"tenant", "acme"}}, .correlation = conversation, .lost_before = 4});
  const auto handle = [&](const order&, const context& given) {
    CHECK(given.topic() == "t.orders");
    CHECK(given.key() == "k");
    CHECK(given.header("tenant") == "acme");
    CHECK(given.correlation() == conversation);
    CHECK_FALSE(given.causation());
    CHECK(given.lost_before() == 4);
  };
  handle({1}, with);
  CHECK(with->id().sequence == 1);
  CHECK(t.context_for(orders)->id() != t.context_for(orders)->id());
}

TEST_CASE("test_bus: deadlines pass when its clock is advanced", "[testing]") {
  testing::test_bus t;
  auto slow = t.bus().subscribe(invoices, {.capacity = 1}, [](const std::string&) {});
  int undeliverable = 0;
  t.bus().on_event([&](const event& what) { undeliverable += what.kind == event_kind::undeliverable ? 1 : 0; });
  loop other;
  auto asking = t.bus().subscribe(orders, {.on = other}, [&](const order&) {
    t.bus().publish(invoices, "first");
    t.bus().publish(invoices, "second");
  });
  t.bus().publish(orders, {1});
  other.run_once();
  t.clock().advance(10s);
  other.run_once();
  CHECK(undeliverable == 1);
}

TEST_CASE("test_bus: what is left when it ends is let go of", "[testing]") {
  testing::test_bus t;
  auto sub = t.bus().subscribe(invoices, [](const std::string&) {});
  t.bus().publish(invoices, "never handled, and longer than what fits into a slot of the queue");
}
