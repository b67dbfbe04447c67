#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace amphibus;

namespace {

struct small {
  int value;
};
struct large {
  std::array<std::uint64_t, 512> words;
};
struct alignas(64) wide {
  int value;
};
struct no_default {
  explicit no_default(int v) : value(v) {}
  int value;
};

constexpr topic<small> smalls{"t.small"};

/// Publishes one value of T through a loop and hands what arrived to `check`.
template <class T, class Check>
void round_trip(const topic<T>& to, T&& value, Check check) {
  bus b;
  loop here;
  int seen = 0;
  auto one = b.subscribe(to, {.on = here}, [&](const T& got) { check(got), ++seen; });
  auto two = b.subscribe(to, {.on = here}, [&](const T& got) { check(got), ++seen; });
  CHECK(b.publish(to, std::move(value)) == publish_status::accepted);
  here.run_until_idle();
  CHECK(seen == 2);
}

}  // namespace

TEST_CASE("publish: every movable type reaches every subscription unchanged", "[engine]") {
  round_trip<small>(smalls, {7}, [](const small& got) { CHECK(got.value == 7); });
  round_trip<large>({"t.large"}, {{1, 2, 3}}, [](const large& got) { CHECK(got.words[2] == 3); });
  round_trip<wide>({"t.wide"}, {9}, [](const wide& got) {
    CHECK(reinterpret_cast<std::uintptr_t>(&got) % alignof(wide) == 0);
    CHECK(got.value == 9);
  });
  round_trip<std::string>({"t.text"}, std::string(100, 'x'), [](const std::string& got) { CHECK(got.size() == 100); });
  round_trip<std::unique_ptr<int>>({"t.unique"}, std::make_unique<int>(5),
                                   [](const std::unique_ptr<int>& got) { CHECK(*got == 5); });
  round_trip<no_default>({"t.made"}, no_default(4), [](const no_default& got) { CHECK(got.value == 4); });
}

TEST_CASE("publish: both receivers of a large message see the same object", "[engine]") {
  const void* first = nullptr;
  round_trip<large>({"t.shared"}, {}, [&](const large& got) {
    CHECK((first == nullptr || first == &got));
    first = &got;
  });
}

TEST_CASE("publish: without subscribers the answer says so and it is counted", "[engine]") {
  bus b;
  auto out = b.publisher(smalls);
  CHECK(out.publish({1}) == publish_status::no_subscribers);
  CHECK(b.counters(smalls).no_subscribers == 1);
  CHECK(b.counters(smalls).published == 0);
}

TEST_CASE("publish: order is kept per source with several publishers", "[engine]") {
  struct numbered {
    int source;
    int value;
  };
  constexpr topic<numbered> to{"t.numbered"};
  bus b;
  std::array<int, 4> next{};
  bool in_order = true;
  auto sub = b.subscribe(to, {.capacity = 64}, [&](const numbered& got) {
    in_order = in_order && got.value == next[static_cast<std::size_t>(got.source)]++;
  });
  std::vector<std::thread> threads;
  for (int source = 0; source != 4; ++source) {
    threads.emplace_back([&, source] {
      auto out = b.publisher(to);
      for (int i = 0; i != 10'000; ++i) out.publish({source, i});
    });
  }
  for (auto& each : threads) each.join();
  CHECK(b.drain().complete());
  CHECK(in_order);
  CHECK(next == std::array<int, 4>{10'000, 10'000, 10'000, 10'000});
}

TEST_CASE("publish: one name with a second type is an error that names both", "[engine]") {
  bus b;
  auto sub = b.subscribe(smalls, [](const small&) {});
  constexpr topic<large> other{"t.small"};
  CHECK_THROWS_WITH(b.subscribe(other, [](const large&) {}),
                    Catch::Contains("AMB-E0102") && Catch::Contains("small") && Catch::Contains("large"));
  const auto refused = b.try_subscribe(other, [](const large&) {});
  CHECK_FALSE(refused);
}

TEST_CASE("publish: two topics of one literal but different types do not mix in the thread's cache", "[engine]") {
  bus one;
  bus two;
  constexpr topic<small> a{"t.same"};
  constexpr topic<large> c{"t.same"};
  CHECK(one.publish(a, {1}) == publish_status::no_subscribers);
  CHECK(two.publish(c, {}) == publish_status::no_subscribers);
}

TEST_CASE("subscribe: a capacity outside the limits is refused with the limits", "[engine]") {
  bus b;
  CHECK_THROWS_WITH(b.subscribe(smalls, {.capacity = 0}, [](const small&) {}), Catch::Contains("1 to 16777216"));
}

TEST_CASE("publish: counters add up", "[engine]") {
  bus b;
  auto sub = b.subscribe(smalls, {.name = "counted"}, [](const small& got) {
    if (got.value % 2 == 0) throw std::runtime_error("even");
  });
  for (int i = 0; i != 10; ++i) b.publish(smalls, {i});
  b.drain();
  const auto counted = sub.counters();
  CHECK(counted.handled == 10);
  CHECK(counted.failed == 5);
  CHECK(counted.pending == 0);
  CHECK(b.counters(smalls).published == 10);
}

TEST_CASE("handlers: exceptions are contained, counted and told", "[engine]") {
  bus b;
  std::vector<event> told;
  std::vector<std::string> lines;
  b.on_event([&](const event& what) { told.push_back(what); });
  b.on_log([&](std::string_view line) { lines.emplace_back(line); });
  loop here;
  auto sub = b.subscribe(smalls, {.name = "fragile", .on = here}, [](const small& got) {
    if (got.value == 1) throw std::runtime_error("broken\x1b[1m");
    if (got.value == 2) throw 42;
  });
  for (int i = 1; i != 4; ++i) b.publish(smalls, {i});
  here.run_until_idle();
  REQUIRE(told.size() == 2);
  CHECK(told[0].subscription == "fragile");
  CHECK(told[0].text == "broken\\x1b[1m");
  CHECK_THAT(told[1].text, Catch::Contains("not a std::exception"));
  CHECK(lines.size() == 2);
  CHECK(sub.counters().handled == 3);
}
