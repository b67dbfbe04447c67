#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/transport/transport.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace amphibus;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

struct page {
  std::array<std::byte, 4 * kib> bytes;
};
struct document {
  int number = 0;
  std::string text;
};

constexpr topic<std::string> texts{"t.texts"};
constexpr topic<int> numbers{"n.numbers"};
constexpr topic<page> pages{"t.pages"};
constexpr topic<document> documents{"t.documents"};

/// Long enough that a publisher on another thread has begun to wait, mostly; right either way.
void give_others_time() {
  for (int i = 0; i != 2'000; ++i) std::this_thread::yield();
}

std::string text_of(std::size_t bytes) { return std::string(bytes, 'x'); }

/// How many of `size` are accepted before one is not, at most 100,000.
std::size_t fill(publisher<std::string>& by, std::size_t size) {
  std::size_t count = 0;
  while (count != 100'000 && by.try_publish(text_of(size)) == publish_status::accepted) ++count;
  return count;
}

}  // namespace

template <>
struct amphibus::owned_bytes<document> {
  static std::size_t of(const document& d) noexcept { return d.text.size(); }
};

TEST_CASE("bytes: capacity_bytes bounds messages that differ in size, beside their number", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(texts, {.capacity = 1000, .capacity_bytes = mib, .on = here}, [](const std::string&) {});
  auto out = b.publisher(texts);
  SECTION("small ones: their number") { CHECK(fill(out, 10) == 1000); }
  SECTION("large ones: their bytes") {
    const std::size_t count = fill(out, 64 * kib);
    CHECK(count * 64 * kib <= mib);
    CHECK(count * 64 * kib > mib * 9 / 10);
  }
  SECTION("a mixture: neither is exceeded") {
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (const std::size_t size : {500 * kib, 20 * kib}) {
      while (out.try_publish(text_of(size)) == publish_status::accepted) bytes += size, ++count;
    }
    CHECK(bytes <= mib);
    CHECK(bytes > mib * 9 / 10);
    CHECK(count <= 1000);
  }
  SECTION("one larger than the bound gets in, and a second, and no third") {
    CHECK(out.try_publish(text_of(5 * mib)) == publish_status::accepted);
    CHECK(out.try_publish(text_of(5 * mib)) == publish_status::accepted);
    CHECK(out.try_publish(text_of(1)) == publish_status::would_block);
  }
  here.run_until_idle();
  CHECK(sub.counters().pending == 0);
  CHECK(fill(out, 10) == 1000);  // every place came back
}

TEST_CASE("bytes: of messages of one size as many fit as capacity_bytes says", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(pages, {.capacity_bytes = mib, .on = here}, [](const page&) {});
  auto out = b.publisher(pages);
  int count = 0;
  while (out.try_publish(page{}) == publish_status::accepted) ++count;
  CHECK(count > 240);
  CHECK(count <= 256);
}

TEST_CASE("bytes: owned_bytes says what a type of the user's owns", "[engine]") {
  bus b;
  loop here;
  auto sub = b.subscribe(documents, {.capacity = 100, .capacity_bytes = 100 * kib, .on = here}, [](const document&) {});
  auto out = b.publisher(documents);
  CHECK(out.try_publish({1, text_of(40 * kib)}) == publish_status::accepted);
  CHECK(out.try_publish({2, text_of(40 * kib)}) == publish_status::accepted);
  CHECK(out.try_publish({3, text_of(40 * kib)}) == publish_status::would_block);
}

TEST_CASE("bytes: every overflow rule keeps to capacity_bytes", "[engine]") {
  bus b;
  loop here;
  std::vector<std::size_t> seen;
  const auto take = [&](const std::string& text) { seen.push_back(text.size()); };
  subscription_options options{.capacity = 100, .capacity_bytes = 100 * kib, .on = here};
  SECTION("fail refuses at once") {
    options.overflow = overflow::fail();
    auto sub = b.subscribe(texts, options, take);
    CHECK(b.publish(texts, text_of(45 * kib)) == publish_status::accepted);
    CHECK(b.publish(texts, text_of(45 * kib)) == publish_status::accepted);
    CHECK(b.publish(texts, text_of(20 * kib)) == publish_status::would_block);
    here.run_until_idle();
  }
  SECTION("drop_newest lets it pass by") {
    options.overflow = overflow::drop_newest();
    auto sub = b.subscribe(texts, options, take);
    for (const std::size_t size : {40 * kib, 50 * kib, 30 * kib, 1 * kib}) b.publish(texts, text_of(size));
    here.run_until_idle();
    CHECK(seen == std::vector<std::size_t>{40 * kib, 50 * kib, 1 * kib});
    CHECK(sub.counters().dropped == 1);
  }
  SECTION("drop_oldest throws out as many as it takes") {
    options.overflow = overflow::drop_oldest();
    auto sub = b.subscribe(texts, options, take);
    for (const std::size_t size : {30 * kib, 30 * kib, 30 * kib, 45 * kib}) b.publish(texts, text_of(size));
    here.run_until_idle();
    CHECK(seen == std::vector<std::size_t>{30 * kib, 45 * kib});
    CHECK(sub.counters().dropped == 2);
    CHECK(sub.counters().pending == 0);
  }
  SECTION("latest has one message per key, and refuses the option") {
    options.overflow = overflow::latest();
    const auto answer = b.try_subscribe(texts, options, take);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == error_code::bad_option);
  }
}

TEST_CASE("bytes: a publish that waits for many places is woken when they are free", "[engine]") {
  bus b;
  std::atomic<bool> go{false};
  auto sub = b.subscribe(texts, {.capacity = 64, .capacity_bytes = 64 * kib}, [&](const std::string&) {
    while (!go.load()) std::this_thread::yield();
  });
  auto out = b.publisher(texts);
  while (out.try_publish(text_of(kib - 100)) == publish_status::accepted) continue;
  std::thread release([&] {
    give_others_time();
    go.store(true);
  });
  CHECK(out.publish(text_of(200 * kib)) == publish_status::accepted);
  release.join();
  CHECK(b.drain().complete());
}

TEST_CASE("bytes: a pattern's inbox counts each topic's messages by their size", "[engine]") {
  bus b;
  loop here;
  auto tap = b.subscribe(pattern<any_message>{"t.>"}, {.capacity = 1000, .capacity_bytes = 100 * kib, .on = here},
                         [](const any_message&) {});
  auto out = b.publisher(texts);
  auto other = b.publisher(pages);
  CHECK(out.try_publish(text_of(45 * kib)) == publish_status::accepted);
  int count = 0;
  while (other.try_publish(page{}) == publish_status::accepted) ++count;
  CHECK(count > 10);
  CHECK(count < 15);
  here.run_until_idle();
  CHECK(tap.counters().pending == 0);
  CHECK(out.try_publish(text_of(45 * kib)) == publish_status::accepted);
}

TEST_CASE("bytes: a kept message keeps its places", "[engine]") {
  bus b;
  auto in = b.receiver(texts, {.capacity = 100, .capacity_bytes = 100 * kib});
  auto out = b.publisher(texts);
  REQUIRE(out.try_publish(text_of(45 * kib)) == publish_status::accepted);
  REQUIRE(out.try_publish(text_of(45 * kib)) == publish_status::accepted);
  auto kept = in.try_next();
  REQUIRE(kept);
  CHECK(out.try_publish(text_of(20 * kib)) == publish_status::would_block);
  kept.reset();
  CHECK(out.try_publish(text_of(20 * kib)) == publish_status::accepted);
}

TEST_CASE("bytes: capacity_bytes outside its limits is refused by name", "[engine]") {
  bus b;
  const auto none = b.try_subscribe(texts, {.capacity_bytes = 0}, [](const std::string&) {});
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == error_code::bad_option);
  CHECK_THAT(none.error().text(), Catch::Contains(".capacity_bytes is 0"));
  const auto called = b.try_subscribe(texts, {.capacity_bytes = 5, .on = inline_}, [](const std::string&) {});
  REQUIRE_FALSE(called);
  CHECK_THAT(called.error().text(), Catch::Contains(".capacity_bytes"));
}

TEST_CASE("memory: the budget of the bus refuses over all subscriptions, and has every byte again", "[engine]") {
  bus b{{.memory_max_bytes = 4 * mib}};
  loop here;
  auto large = b.subscribe(texts, {.on = here}, [](const std::string&) {});
  auto paged = b.subscribe(pages, {.on = here}, [](const page&) {});
  auto out = b.publisher(texts);
  auto other = b.publisher(pages);
  CHECK(fill(out, 256 * kib) == 15);
  CHECK(b.memory().used_bytes > 15 * 256 * kib);
  CHECK(b.memory().used_bytes <= 4 * mib);
  int count = 0;
  while (other.try_publish(page{}) == publish_status::accepted) ++count;
  CHECK(count > 40);
  CHECK(count <= 64);
  CHECK(b.counters(pages).refused == 1);
  here.run_until_idle();
  CHECK(b.memory().used_bytes == 0);
  CHECK(fill(out, 256 * kib) == 15);
  here.run_until_idle();
  CHECK(b.memory().used_bytes == 0);
}

TEST_CASE("memory: where everybody drops, the message is dropped and counted, and the answer stays accepted",
          "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop here;
  std::vector<std::uint64_t> told;
  auto sub = b.subscribe(texts, {.overflow = overflow::drop_newest(), .on = here},
                         [&](const std::string&, const context& with) { told.push_back(with.lost_before()); });
  auto tap = b.subscribe(pattern<std::string>{"t.*"}, {.overflow = overflow::drop_oldest(), .on = here},
                         [](const std::string&) {});
  auto out = b.publisher(texts);
  for (int i = 0; i != 10; ++i) CHECK(out.publish(text_of(300 * kib)) == publish_status::accepted);
  CHECK(sub.counters().dropped == 7);
  CHECK(tap.counters().dropped == 7);
  here.run_until_idle();
  out.publish("x");
  here.run_until_idle();
  CHECK(told == std::vector<std::uint64_t>{0, 0, 0, 7});
  SECTION("a loan too") {
    for (int i = 0; i != 10; ++i) {
      auto loan = out.loan(text_of(300 * kib));
      CHECK(loan.publish() == publish_status::accepted);
    }
    CHECK(sub.counters().dropped == 14);
  }
  here.run_until_idle();
  CHECK(b.memory().used_bytes == 0);
}

TEST_CASE("memory: a waiting publish goes on as soon as its bytes are free, not half of all", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  auto kept_in = b.receiver(documents);
  loop here;
  auto sub = b.subscribe(texts, {.on = here}, [](const std::string&) {});
  REQUIRE(b.publish(documents, {1, text_of(600 * kib)}) == publish_status::accepted);  // counts half
  const auto kept = kept_in.try_next();
  REQUIRE(kept);
  auto out = b.publisher(texts);
  REQUIRE(out.publish(text_of(400 * kib)) == publish_status::accepted);
  std::thread consumer([&] {
    give_others_time();
    here.run_until_idle();
  });
  CHECK(out.publish(text_of(300 * kib)) == publish_status::accepted);
  consumer.join();
  here.run_until_idle();
}

TEST_CASE("memory: an idle publisher's share is there for the others", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop here;
  auto sub = b.subscribe(texts, {.on = here}, [](const std::string&) {});
  std::vector<publisher<std::string>> idle;
  for (int i = 0; i != 16; ++i) {
    idle.push_back(b.publisher(texts));
    REQUIRE(idle.back().publish("x") == publish_status::accepted);
  }
  here.run_until_idle();
  auto out = b.publisher(texts);
  CHECK(out.try_publish(text_of(500 * kib)) == publish_status::accepted);
  CHECK(out.try_publish(text_of(500 * kib)) == publish_status::accepted);
}

TEST_CASE("memory: what a handler publishes waits for memory with its message", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop asking;
  loop answering;
  auto asks = b.subscribe(documents, {.on = asking}, [&](const document&) { b.publish(texts, text_of(200 * kib)); });
  auto answers = b.subscribe(texts, {.on = answering}, [](const std::string&) {});
  for (int i = 0; i != 3; ++i) REQUIRE(b.publish(texts, text_of(300 * kib)) == publish_status::accepted);
  REQUIRE(b.publish(documents, {1, text_of(90 * kib)}) == publish_status::accepted);
  asking.run_until_idle();
  CHECK(asks.counters().pending == 1);
  answering.run_until_idle();
  asking.run_until_idle();
  CHECK(asks.counters().pending == 0);
  CHECK(answers.counters().pending == 1);
  answering.run_until_idle();
  CHECK(b.memory().used_bytes == 0);
}

TEST_CASE("memory: publishers on many threads never exceed the budget and lose nothing", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  constexpr int threads = 4;
  constexpr int each = 2'000;
  std::atomic<int> accepted{0};
  std::atomic<int> seen{0};
  std::atomic<std::uint64_t> most{0};
  auto sub = b.subscribe(texts, [&](const std::string&) {
    if (seen.fetch_add(1) % 64 == 0) most = std::max(most.load(), b.memory().used_bytes);
  });
  std::vector<std::thread> all;
  for (int i = 0; i != threads; ++i) {
    all.emplace_back([&, i] {
      auto out = b.publisher(texts);
      for (int n = 0; n != each; ++n) {
        const auto size = static_cast<std::size_t>(n * (i + 1) % 400) * kib / 2;
        if (out.publish(text_of(size)) == publish_status::accepted) ++accepted;
      }
    });
  }
  for (auto& one : all) one.join();
  CHECK(b.drain().complete());
  CHECK(accepted == threads * each);
  CHECK(seen == threads * each);
  CHECK(most <= mib);
  CHECK(b.memory().used_bytes == 0);
}

TEST_CASE("memory: messages that outlive the bus are still good", "[engine]") {
  std::optional<message<std::string>> kept;
  {
    bus b{{.memory_max_bytes = mib}};
    auto in = b.receiver(texts);
    b.publish(texts, text_of(100 * kib));
    kept = in.try_next();
    b.close(0ms);
  }
  REQUIRE(kept);
  CHECK((*kept)->size() == 100 * kib);
}

TEST_CASE("memory: the option has limits, and a file wins over code", "[engine]") {
  CHECK_THROWS_WITH(bus({.memory_max_bytes = 5}), Catch::Contains(".memory_max_bytes is 5"));
  CHECK(bus().memory().max_bytes == 1024 * mib);
  config::configuration file;
  CHECK(bus(file, {.memory_max_bytes = 8 * mib}, {}).memory().max_bytes == 8 * mib);
  file.memory_max_bytes = {4 * mib, {config::origin_kind::file, {}}};
  CHECK(bus(file, {.memory_max_bytes = 8 * mib}, {}).memory().max_bytes == 4 * mib);
}

TEST_CASE("memory: the strictest receiver says what a publish does without memory", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop here;
  auto kept_in = b.receiver(documents);
  for (int i = 0; i != 2; ++i) REQUIRE(b.publish(documents, {1, text_of(600 * kib)}) == publish_status::accepted);
  subscription_options options{.on = here};
  const auto begin = base::steady_clock().now();
  SECTION("fail: refused at once, also inside a handler") {
    options.overflow = overflow::fail();
    auto sub = b.subscribe(texts, options, [](const std::string&) {});
    CHECK(b.publish(texts, text_of(100 * kib)) == publish_status::would_block);
    publish_status inside{};
    auto asks = b.subscribe(pages, {.on = inline_}, [](const page&) {});
    auto asking =
        b.subscribe(numbers, {.on = here}, [&](const int&) { inside = b.publish(texts, text_of(100 * kib)); });
    b.publish(numbers, 1);
    here.run_until_idle();
    CHECK(inside == publish_status::would_block);
  }
  SECTION("block: its own timeout") {
    options.overflow = overflow::block(1ms);
    auto sub = b.subscribe(texts, options, [](const std::string&) {});
    CHECK(b.publish(texts, text_of(100 * kib)) == publish_status::would_block);
  }
  CHECK(base::steady_clock().now() - begin < 4s);
}

TEST_CASE("memory: nothing is kept in advance for a topic that nobody wants", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop here;
  auto unwanted = b.publisher(documents);
  for (int i = 0; i != 3; ++i) CHECK(unwanted.publish({1, text_of(600 * kib)}) == publish_status::no_subscribers);
  auto sub = b.subscribe(texts, {.overflow = overflow::drop_newest(), .on = here}, [](const std::string&) {});
  for (int i = 0; i != 2; ++i) CHECK(b.publish(texts, text_of(600 * kib)) == publish_status::accepted);
  CHECK(sub.counters().dropped == 0);
}

TEST_CASE("memory: those who drop take back what idle publishers hold before they drop", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop here;
  auto sub = b.subscribe(texts, {.overflow = overflow::drop_newest(), .on = here}, [](const std::string&) {});
  std::vector<publisher<std::string>> idle;
  for (int i = 0; i != 16; ++i) {
    idle.push_back(b.publisher(texts));
    REQUIRE(idle.back().publish("x") == publish_status::accepted);
  }
  here.run_until_idle();
  auto out = b.publisher(texts);
  for (int i = 0; i != 2; ++i) CHECK(out.publish(text_of(600 * kib)) == publish_status::accepted);
  CHECK(sub.counters().dropped == 0);
}

TEST_CASE("bytes: drop_oldest gives back what it took without finding enough", "[engine]") {
  bus b;
  loop here;
  auto sub =
      b.subscribe(texts, {.capacity = 8, .capacity_bytes = 8 * kib, .overflow = overflow::drop_oldest(), .on = here},
                  [](const std::string&) {});
  auto one = b.publisher(texts);
  auto two = b.publisher(texts);
  auto three = b.publisher(texts);
  for (int i = 0; i != 3; ++i) one.publish("x");
  for (int i = 0; i != 3; ++i) two.publish("x");
  for (int i = 0; i != 2; ++i) three.publish("x");
  for (auto* each : {&one, &two, &three}) each->publish(text_of(6 * kib));
  here.run_until_idle();
  auto other = b.publisher(texts);
  const auto before = sub.counters().dropped;
  for (int i = 0; i != 8; ++i) other.publish("x");
  CHECK(sub.counters().dropped == before);
}

TEST_CASE("memory: what a handler holds is told when nobody wants it any more, with and without memory", "[engine]") {
  bus b{{.memory_max_bytes = mib}};
  loop asking;
  loop never;
  auto kept_in = b.receiver(documents);
  for (int i = 0; i != 2; ++i) REQUIRE(b.publish(documents, {1, text_of(600 * kib)}) == publish_status::accepted);
  auto sub = b.subscribe(texts, {.on = never}, [](const std::string&) {});
  auto asks = b.subscribe(numbers, {.on = asking}, [&](const int&) { b.publish(texts, text_of(100 * kib)); });
  b.publish(numbers, 1);
  asking.run_until_idle();
  CHECK(asks.counters().pending == 1);
  sub.end();
  asking.run_until_idle();
  CHECK(asks.counters().pending == 0);
  CHECK(b.counters(texts).undeliverable == 1);
}

TEST_CASE("memory: who waits for little is not kept waiting by who waits for much", "[engine]") {
  queue::credit_account account(100, queue::credit_account::waking::by_need);
  REQUIRE(account.take(100) == 100);
  struct counting final : queue::space_listener {
    void space_available() noexcept override { ++calls; }
    int calls = 0;
  } much, little;
  CHECK(account.listen(much, 50));
  CHECK(account.listen(little, 5));
  account.give_back(4);
  CHECK(little.calls == 0);
  account.give_back(4);
  CHECK(little.calls == 1);
  CHECK(much.calls == 0);
  account.give_back(40);
  CHECK(much.calls == 0);
  account.give_back(10);
  CHECK(much.calls == 1);
}
