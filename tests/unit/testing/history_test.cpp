// Histories with planted faults: a judge that acquits them is no judge.
#include <amphibus/testing/history.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace amphibus;
using testing::history;
using testing::history_fault_kind;
using testing::message_name;

namespace {

/// One writer and two readers of one topic; every message is received intact unless a test says otherwise.
struct planted {
  history past;
  std::uint32_t writer = past.add_writer("front", "t.a");
  std::uint32_t one = past.add_reader("billing", "t.a");
  std::uint32_t two = past.add_reader("stock", "t.a");

  static wire::envelope envelope_of(message_name what) { return wire::first_envelope({{7, what.writer}, what.number}); }
  void publish(std::uint64_t number, publish_status answer = publish_status::accepted) {
    past.published({writer, number}, answer);
  }
  void receive(std::uint32_t reader, std::uint64_t number) {
    past.received(reader, {writer, number}, envelope_of({writer, number}));
  }
  void both_receive(std::uint64_t number) {
    receive(one, number);
    receive(two, number);
  }
  /// The only fault, as text.
  [[nodiscard]] std::string fault() const {
    const auto all = past.verdict();
    REQUIRE(all.size() == 1);
    return to_string(all.front());
  }
  [[nodiscard]] std::vector<history_fault_kind> kinds() const {
    std::vector<history_fault_kind> out;
    for (const auto& each : past.verdict()) out.push_back(each.kind);
    return out;
  }
};

}  // namespace

TEST_CASE("history: everything received once and in order is without fault", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    h.publish(i);
    h.both_receive(i);
  }
  CHECK(h.past.verdict().empty());
  CHECK(h.past.answered(h.writer, publish_status::accepted) == 100);
}

TEST_CASE("history: losses are named by reader, writer and position", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 20; ++i) h.publish(i);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    h.receive(h.two, i);
    if (i != 7 && i < 18) h.receive(h.one, i);
  }
  const auto all = h.past.verdict();
  REQUIRE(all.size() == 2);
  CHECK(to_string(all[0]) == "loss: reader \"billing\" has not 4 of writer \"front\": 7, 18 to 20");
  CHECK(all[0].count == 4);
  CHECK(all[1].kind == history_fault_kind::wrong_count);  // nobody told of the 7th
}

TEST_CASE("history: where the order is by key, only what has one key can be late", "[testing]") {
  planted h;
  h.past.orders_by_key(h.one, 2);
  h.past.orders_by_key(h.two, 0);
  for (std::uint64_t i = 1; i <= 6; ++i) h.publish(i);
  for (const std::uint64_t i : {2U, 4U, 1U, 6U, 3U, 5U}) h.receive(h.one, i);
  for (const std::uint64_t i : {6U, 5U, 4U, 3U, 2U, 1U}) h.receive(h.two, i);
  CHECK(h.past.verdict().empty());
  planted late;
  late.past.orders_by_key(late.one, 2);
  for (std::uint64_t i = 1; i <= 4; ++i) late.publish(i);
  for (const std::uint64_t i : {1U, 4U, 2U, 3U}) late.receive(late.one, i);
  for (std::uint64_t i = 1; i <= 4; ++i) late.receive(late.two, i);
  CHECK(late.fault() == "reordering: reader \"billing\" got too late 1 of writer \"front\": 2");
}

TEST_CASE("history: a duplicate is found", "[testing]") {
  planted h;
  h.publish(1);
  h.both_receive(1);
  h.receive(h.one, 1);
  CHECK(h.fault() == "duplicate: reader \"billing\" got again 1 of writer \"front\": 1");
}

TEST_CASE("history: a reordering is found, also at one reader only", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 3; ++i) h.publish(i);
  for (const std::uint64_t i : {1, 3, 2}) h.receive(h.one, i);
  for (const std::uint64_t i : {1, 2, 3}) h.receive(h.two, i);
  CHECK(h.fault() == "reordering: reader \"billing\" got too late 1 of writer \"front\": 2");
}

TEST_CASE("history: phantoms are messages never published, refused, or of another topic", "[testing]") {
  planted h;
  h.publish(1);
  h.both_receive(1);
  SECTION("never published") { h.receive(h.one, 2); }
  SECTION("refused") {
    h.publish(2, publish_status::would_block);
    h.receive(h.one, 2);
  }
  SECTION("of another topic") {
    const auto other = h.past.add_writer("other", "t.b");
    h.past.published({other, 1}, publish_status::accepted);
    h.past.received(h.one, {other, 1}, planted::envelope_of({other, 1}));
  }
  SECTION("of nobody") { h.past.received(h.one, {99, 1}, planted::envelope_of({99, 1})); }
  CHECK(h.kinds() == std::vector{history_fault_kind::phantom});
}

TEST_CASE("history: a refused message that was accepted at its retry is wanted once", "[testing]") {
  planted h;
  h.publish(1, publish_status::would_block);
  h.publish(1);
  h.both_receive(1);
  CHECK(h.past.verdict().empty());
  h.receive(h.two, 1);
  CHECK(h.kinds() == std::vector{history_fault_kind::duplicate});
}

TEST_CASE("history: an altered payload is found", "[testing]") {
  planted h;
  h.publish(1);
  h.receive(h.one, 1);
  h.past.received(h.two, {h.writer, 1}, planted::envelope_of({h.writer, 1}), false);
  CHECK(h.kinds() == std::vector{history_fault_kind::altered});
}

TEST_CASE("history: a late reader owes nothing from before, and everything from then on", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    h.publish(i);
    h.both_receive(i);
  }
  const auto late = h.past.add_reader("late", "t.a");
  h.past.begins_with(late, {h.writer, 4});
  h.receive(late, 5);
  const auto all = h.past.verdict();
  REQUIRE(all.size() == 2);
  CHECK(to_string(all[0]) == "loss: reader \"late\" has not 1 of writer \"front\": 4");
  CHECK(all[1].kind == history_fault_kind::wrong_count);  // and nobody told it
}

TEST_CASE("history: a reader that ended owes nothing from after its end", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 5; ++i) h.publish(i);
  for (std::uint64_t i = 1; i <= 5; ++i) h.receive(h.one, i);
  for (std::uint64_t i = 1; i <= 3; ++i) h.receive(h.two, i);
  h.past.ends_before(h.two, {h.writer, 4});
  CHECK(h.past.verdict().empty());
}

TEST_CASE("history: a suffix may begin anywhere but has no hole", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    h.publish(i);
    h.both_receive(i);
  }
  const auto late = h.past.add_reader("late", "t.a", history::duty::suffix);
  SECTION("whole") {
    for (std::uint64_t i = 3; i <= 5; ++i) h.receive(late, i);
    CHECK(h.past.verdict().empty());
  }
  SECTION("with a hole") {
    h.receive(late, 3);
    h.receive(late, 5);
    CHECK(h.kinds() == std::vector{history_fault_kind::loss, history_fault_kind::wrong_count});
  }
}

TEST_CASE("history: a reader that may lose has to be told how many", "[testing]") {
  planted h;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    h.publish(i);
    h.both_receive(i);
  }
  const auto lossy = h.past.add_reader("lossy", "t.a", history::duty::counted);
  auto with = planted::envelope_of({h.writer, 4});
  SECTION("told") {
    with.lost_before = 3;
    h.past.received(lossy, {h.writer, 4}, with);
    CHECK(h.past.verdict().empty());  // the fifth comes after the last: nobody can have told
  }
  SECTION("told of too many") {
    with.lost_before = 5;
    h.past.received(lossy, {h.writer, 4}, with);
    CHECK(h.kinds() == std::vector{history_fault_kind::wrong_count});
  }
  SECTION("told of too few") {
    with.lost_before = 2;
    h.past.received(lossy, {h.writer, 4}, with);
    CHECK(h.fault() ==
          "wrong count: reader \"lossy\" was told of 2 lost messages; missing are 3 before its last one and 4 at all");
  }
}

TEST_CASE("history: ids that differ between readers, repeat, or change their source are found", "[testing]") {
  planted h;
  h.publish(1);
  h.publish(2);
  h.both_receive(1);
  h.receive(h.one, 2);
  auto with = planted::envelope_of({h.writer, 2});
  SECTION("another id elsewhere") { with = wire::first_envelope({{7, h.writer}, 9}); }
  SECTION("another correlation") { with.correlation = {{7, h.writer}, 1}; }
  SECTION("a causation that nobody had") { with.causation = {{7, h.writer}, 1}; }
  h.past.received(h.two, {h.writer, 2}, with);
  CHECK(h.kinds() == std::vector{history_fault_kind::wrong_context});
}

TEST_CASE("history: one id for two messages, a second source and descending numbers are found", "[testing]") {
  planted h;
  h.publish(1);
  h.publish(2);
  h.both_receive(1);
  auto with = planted::envelope_of({h.writer, 2});
  SECTION("one id for two") { with = planted::envelope_of({h.writer, 1}); }
  SECTION("a second source") { with = wire::first_envelope({{8, h.writer}, 2}); }
  SECTION("descending") { with = wire::first_envelope({{7, h.writer}, 0x0}); }
  h.past.received(h.one, {h.writer, 2}, with);
  h.past.received(h.two, {h.writer, 2}, with);
  const auto kinds = h.kinds();
  CHECK_FALSE(kinds.empty());
  for (const auto each : kinds) CHECK(each == history_fault_kind::wrong_context);
}

TEST_CASE("history: causation and correlation follow the handler that published", "[testing]") {
  planted h;
  h.publish(1);
  h.both_receive(1);
  const auto answering = h.past.add_writer("answering", "t.b");
  const auto reader = h.past.add_reader("front", "t.b");
  h.past.published({answering, 1}, publish_status::accepted, {h.writer, 1});
  wire::envelope with{{{7, answering}, 1}, {{7, h.writer}, 1}, {{7, h.writer}, 1}, 0};
  SECTION("as it has to be") {
    h.past.received(reader, {answering, 1}, with);
    CHECK(h.past.verdict().empty());
  }
  SECTION("forgotten causation") {
    with.causation = {};
    h.past.received(reader, {answering, 1}, with);
    CHECK_THAT(h.fault(), Catch::Contains("causation"));
  }
  SECTION("a conversation of its own") {
    with.correlation = with.id;
    h.past.received(reader, {answering, 1}, with);
    CHECK_THAT(h.fault(), Catch::Contains("correlation"));
  }
}

TEST_CASE("history: waiting ends with the count, whoever records it", "[testing]") {
  planted h;
  std::thread recording([&] {
    for (std::uint64_t i = 1; i <= 10; ++i) h.receive(h.one, i);
  });
  CHECK(h.past.wait_for(h.one, 10));
  recording.join();
  CHECK_FALSE(h.past.wait_for(h.two, 1, std::chrono::milliseconds(1)));
}
