// Patterns whose topics are made by other processes.
#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <thread>

using namespace amphibus;
using namespace zeromq_test;

namespace {

struct word {
  std::uint64_t value = 0;
};
/// A type that only publishers name.
struct stranger {
  std::uint64_t value = 0;
};
struct not_coded {
  std::uint64_t value = 0;
};

bool append(std::uint64_t value, wire::byte_writer& out) {
  out.append(&value, sizeof value);
  return true;
}
bool read(std::span<const std::byte> bytes, std::uint64_t& into) {
  if (bytes.size() != sizeof into) return false;
  std::memcpy(&into, bytes.data(), sizeof into);
  return true;
}

}  // namespace

// The bytes of one are bytes of the other: only the announced type keeps them apart.
template <>
struct amphibus::codec<word> {
  static constexpr std::string_view type_name = "test.word";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static bool encode(const word& from, wire::byte_writer& out) { return append(from.value, out); }
  static bool decode(std::span<const std::byte> bytes, word& into) { return read(bytes, into.value); }
};
template <>
struct amphibus::codec<stranger> {
  static constexpr std::string_view type_name = "test.stranger";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static bool encode(const stranger& from, wire::byte_writer& out) { return append(from.value, out); }
  static bool decode(std::span<const std::byte> bytes, stranger& into) { return read(bytes, into.value); }
};

namespace {

/// What a pattern's handler saw, by topic.
class tally {
 public:
  template <class T>
  auto handler() {
    return [this](const T& got, const context& with) {
      state_.change([&] {
        seen_[std::string(with.topic())].push_back(got.value);
        lost_ += with.lost_before();
      });
    };
  }
  void wait(const std::string& topic, std::size_t count) {
    state_.wait([&] { return seen_[topic].size() >= count; });
  }
  std::map<std::string, std::vector<std::uint64_t>> seen() {
    std::map<std::string, std::vector<std::uint64_t>> out;
    state_.change([&] { out = seen_; });
    std::erase_if(out, [](const auto& each) { return each.second.empty(); });
    return out;
  }
  [[nodiscard]] std::uint64_t lost() {
    std::uint64_t out = 0;
    state_.change([&] { out = lost_; });
    return out;
  }

 private:
  watched state_;
  std::map<std::string, std::vector<std::uint64_t>> seen_;
  std::uint64_t lost_ = 0;
};

using map_of_values = std::map<std::string, std::vector<std::uint64_t>>;

template <class T>
topic<T> named(placed_bus& at, const std::string& name) {
  return at.bus.make_topic<T>(name).value();
}

}  // namespace

TEST_CASE("zeromq: a pattern reaches topics that only the peer makes, each from its first message", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  tally got;
  const auto before = named<number>(a, "test.sites.before");
  auto sub = b.bus.subscribe(pattern<number>{"test.sites.*"}, got.handler<number>());
  make_ready({&a, &b});
  CHECK(a.bus.publish(before, {7}) == publish_status::accepted);
  got.wait("test.sites.before", 1);
  map_of_values wanted{{"test.sites.before", {7}}};
  for (std::uint64_t i = 0; i != 200; ++i) {
    const std::string name = "test.sites.s" + std::to_string(i);
    const auto made = named<number>(a, name);
    REQUIRE(a.bus.publish(made, {i}) == publish_status::accepted);
    REQUIRE(a.bus.publish(made, {i + 1}) == publish_status::accepted);
    wanted[name] = {i, i + 1};
  }
  for (const auto& [name, values] : wanted) got.wait(name, values.size());
  CHECK(got.seen() == wanted);
  CHECK(got.lost() == 0);
  CHECK(b.count_of(event_kind::gap) == 0);
  CHECK(b.count_of(event_kind::rejected_input) == 0);
  CHECK(a.bus.publish(named<number>(a, "test.elsewhere"), {1}) == publish_status::no_subscribers);
  CHECK(a.bus.publish(named<number>(a, "test.sites.deep.er"), {1}) == publish_status::no_subscribers);
}

TEST_CASE("zeromq: a pattern made after readiness is effective once it is asked again, and ends with its end",
          "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  make_ready({&a, &b});
  const auto made = named<number>(a, "test.sites.one");
  CHECK(a.bus.publish(made, {1}) == publish_status::no_subscribers);
  tally got;
  auto sub = b.bus.subscribe(pattern<number>{"test.>"}, got.handler<number>());
  REQUIRE_FALSE(b.wait_until_ready());
  CHECK(a.bus.publish(made, {2}) == publish_status::accepted);
  got.wait("test.sites.one", 1);
  sub.end();
  REQUIRE_FALSE(b.wait_until_ready());
  CHECK(a.bus.publish(made, {3}) == publish_status::no_subscribers);
  CHECK(a.bus.publish(named<number>(a, "test.sites.two"), {3}) == publish_status::no_subscribers);
  auto again = b.bus.subscribe(pattern<number>{"test.>"}, got.handler<number>());
  REQUIRE_FALSE(b.wait_until_ready());
  CHECK(a.bus.publish(made, {4}) == publish_status::accepted);
  got.wait("test.sites.one", 2);
  CHECK(got.seen() == map_of_values{{"test.sites.one", {2, 4}}});
  CHECK(got.lost() == 0);
}

TEST_CASE("zeromq: topics of another type are passed over and told once, whoever else wants them", "[zeromq]") {
  const auto file = file_of(3);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  placed_bus c(file, "c");
  tally numbers_at_b;
  tally words_at_b;
  tally words_at_c;
  auto some = b.bus.subscribe(pattern<number>{"test.x.*"}, {.name = "some"}, numbers_at_b.handler<number>());
  auto others = b.bus.subscribe(pattern<word>{"test.x.*.*"}, words_at_b.handler<word>());
  auto words = c.bus.subscribe(pattern<word>{"test.>"}, words_at_c.handler<word>());
  make_ready({&a, &b, &c});
  for (std::uint64_t i = 1; i <= 50; ++i) {
    const std::string index = std::to_string(i);
    CHECK(a.bus.publish(named<word>(a, "test.x.word" + index), {i}) == publish_status::accepted);
    CHECK(a.bus.publish(named<number>(a, "test.x.number" + index), {i}) == publish_status::accepted);
    CHECK(a.bus.publish(named<word>(a, "test.x.deep.word" + index), {i}) == publish_status::accepted);
  }
  for (std::uint64_t i = 1; i <= 50; ++i) {
    numbers_at_b.wait("test.x.number" + std::to_string(i), 1);
    words_at_b.wait("test.x.deep.word" + std::to_string(i), 1);
    words_at_c.wait("test.x.word" + std::to_string(i), 1);
    words_at_c.wait("test.x.deep.word" + std::to_string(i), 1);
  }
  CHECK(numbers_at_b.seen().size() == 50);
  CHECK(words_at_b.seen().size() == 50);
  CHECK(words_at_c.seen().size() == 100);
  const event told = b.wait_for(event_kind::topic_skipped);
  CHECK(told.subscription == "some");
  CHECK_THAT(told.text, Catch::Contains("test.word"));
  CHECK(b.count_of(event_kind::topic_skipped) == 1);
  CHECK(b.count_of(event_kind::gap) == 0);
}

TEST_CASE("zeromq: patterns and plain topics, peers and the own process, each message once", "[zeromq]") {
  const auto file = file_of(3);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  placed_bus c(file, "c");
  tally by_pattern;
  tally by_name;
  tally at_c;
  auto one = b.bus.subscribe(pattern<number>{"test.*"}, by_pattern.handler<number>());
  auto two = b.bus.subscribe(numbers, by_name.handler<number>());
  auto three = c.bus.subscribe(pattern<number>{">"}, at_c.handler<number>());
  make_ready({&a, &b, &c});
  for (placed_bus* each : {&a, &b, &c}) {
    CHECK(each->bus.publish(numbers, {1}) == publish_status::accepted);
    CHECK(each->bus.publish(named<number>(*each, "test.shared"), {2}) == publish_status::accepted);
  }
  for (tally* each : {&by_pattern, &at_c}) {
    each->wait("test.numbers", 3);
    each->wait("test.shared", 3);
  }
  by_name.wait("test.numbers", 3);
  // What came twice or went in circles would be here before what is published now.
  for (placed_bus* each : {&a, &b, &c}) CHECK(each->bus.publish(numbers, {3}) == publish_status::accepted);
  by_pattern.wait("test.numbers", 6);
  by_name.wait("test.numbers", 6);
  at_c.wait("test.numbers", 6);
  CHECK(by_pattern.seen()["test.numbers"].size() == 6);
  CHECK(by_pattern.seen()["test.shared"].size() == 3);
  CHECK(at_c.seen()["test.shared"].size() == 3);
  CHECK(by_name.seen().size() == 1);
}

TEST_CASE("zeromq: a topic that both sides make at once is one topic", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  tally at_a;
  tally at_b;
  auto one = a.bus.subscribe(pattern<number>{"test.*"}, at_a.handler<number>());
  auto two = b.bus.subscribe(pattern<number>{"test.*"}, at_b.handler<number>());
  make_ready({&a, &b});
  constexpr std::uint64_t count = 200;
  const auto publish = [](placed_bus& by) {
    for (std::uint64_t i = 0; i != count; ++i) by.bus.publish(named<number>(by, "test.t" + std::to_string(i)), {i});
  };
  std::thread other([&] { publish(b); });
  publish(a);
  other.join();
  for (std::uint64_t i = 0; i != count; ++i) {
    at_a.wait("test.t" + std::to_string(i), 2);
    at_b.wait("test.t" + std::to_string(i), 2);
  }
  for (const auto& [name, values] : at_a.seen()) CHECK(values.size() == 2);
  CHECK(at_b.lost() + at_a.lost() == 0);
}

TEST_CASE("zeromq: any_message reaches topics whose type this process names, also later, and tells of the others",
          "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::multiset<std::string> topics;
  std::set<std::uint64_t> values;
  auto tap = b.bus.subscribe(pattern<any_message>{"test.>"}, {.name = "tap"}, [&](const any_message& m) {
    const auto* const got = m.as<number>();
    seen.change([&] {
      topics.emplace(m.topic());
      values.insert(got != nullptr ? got->value : 0);
    });
  });
  make_ready({&a, &b});
  const auto unknown = named<number>(a, "test.one");
  CHECK(a.bus.publish(unknown, {1}) == publish_status::accepted);
  const event told = b.wait_for(event_kind::topic_skipped);
  CHECK(told.topic == "test.one");
  CHECK(told.subscription == "tap");
  CHECK_THAT(told.text, Catch::Contains("nothing in this process names type test.number"));
  static_cast<void>(named<number>(b, "test.names.the.type"));
  a.bus.publish(named<stranger>(a, "test.stranger"), {100});
  const auto known = [&] { return topics.contains("test.one"); };
  for (bool arrived = false; !arrived;) {
    CHECK(a.bus.publish(unknown, {10}) == publish_status::accepted);
    seen.change([&] { arrived = known(); });
    std::this_thread::yield();
  }
  CHECK(a.bus.publish(named<number>(a, "test.two"), {5}) == publish_status::accepted);
  seen.wait([&] { return topics.contains("test.two"); });
  seen.change([&] {
    CHECK_FALSE(topics.contains("test.stranger"));
    CHECK(values.contains(5));
    CHECK_FALSE(values.contains(0));
  });
  CHECK(b.count_of(event_kind::topic_skipped) == 1);
  CHECK(b.count_of(event_kind::gap) == 0);
}

TEST_CASE("zeromq: a pattern of a type without codec stays in its process", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  std::uint64_t seen = 0;
  auto sub = b.bus.subscribe(pattern<not_coded>{">"}, [&](const not_coded&) { ++seen; });
  make_ready({&a, &b});
  CHECK(a.bus.publish(named<number>(a, "test.one"), {1}) == publish_status::no_subscribers);
  CHECK(b.bus.publish(named<not_coded>(b, "local.one"), {1}) == publish_status::accepted);
  CHECK(b.bus.drain().complete());
  CHECK(seen == 1);
}

TEST_CASE("zeromq: an inline pattern reaches topics of the peer, on the serial thread", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  tally got;
  auto sub = b.bus.subscribe(pattern<number>{"test.*"}, {.on = inline_}, got.handler<number>());
  make_ready({&a, &b});
  CHECK(a.bus.publish(named<number>(a, "test.one"), {1}) == publish_status::accepted);
  got.wait("test.one", 1);
  CHECK(b.bus.publish(named<number>(b, "test.one"), {2}) == publish_status::accepted);
  got.wait("test.one", 2);
  CHECK(got.seen() == map_of_values{{"test.one", {1, 2}}});
  static_cast<void>(named<word>(b, "test.word"));
  CHECK(b.count_of(event_kind::topic_skipped) == 1);
}

TEST_CASE("zeromq: what a route drops of a topic that a pattern found adds up with its gaps", "[zeromq]") {
  const auto file = file_of(2, config::overflow::drop_newest);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  tally got;
  auto sub = b.bus.subscribe(pattern<number>{"test.*"}, {.capacity = 16}, got.handler<number>());
  make_ready({&a, &b});
  const auto made = named<number>(a, "test.one");
  constexpr std::uint64_t count = 100'000;
  for (std::uint64_t i = 0; i != count; ++i) a.bus.publish(made, {i});
  CHECK(a.bus.drain(std::chrono::seconds(30)).complete());
  CHECK(a.bus.close(std::chrono::seconds(30)).complete());
  CHECK(b.bus.drain(std::chrono::seconds(30)).complete());
  CHECK(got.seen()["test.one"].size() + b.sum_of(event_kind::gap) == count);
}

TEST_CASE("zeromq: topics that only a pattern found are not announced, are bounded, and are told once", "[zeromq]") {
  constexpr int each_makes = 12'000;
  const auto file = file_of(3);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  placed_bus c(file, "c");
  tally got;
  auto tap = c.bus.subscribe(pattern<number>{">"}, {.name = "tap"}, got.handler<number>());
  for (int i = 0; i != each_makes; ++i) {
    static_cast<void>(named<number>(a, "test.a" + std::to_string(i)));
    static_cast<void>(named<number>(b, "test.b" + std::to_string(i)));
  }
  make_ready({&a, &b, &c});
  auto sub = c.bus.subscribe(numbers, [](const number&) {});
  REQUIRE_FALSE(c.wait_until_ready());  // what c announces has come to a and b
  CHECK(a.count_of(event_kind::peer_refused) + b.count_of(event_kind::peer_refused) == 0);
  CHECK(c.count_of(event_kind::topic_skipped) == 1);
  CHECK(c.wait_for(event_kind::topic_skipped).subscription == "tap");
}

TEST_CASE("zeromq: a topic that a pattern found is announced once somebody names it", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  tally at_a;
  const auto made = named<number>(a, "test.one");
  auto back = a.bus.subscribe(made, at_a.handler<number>());
  auto tap = b.bus.subscribe(pattern<number>{"test.*"}, [](const number&) {});
  make_ready({&a, &b});
  CHECK(b.bus.publish(named<number>(b, "test.one"), {1}) == publish_status::accepted);
  at_a.wait("test.one", 1);
}
