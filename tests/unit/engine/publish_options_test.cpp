#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> answers{"t.answers"};
constexpr topic<std::string> words{"t.words"};
constexpr topic<std::unique_ptr<int>> owned{"t.owned"};

struct picture {
  std::array<unsigned char, 4096> pixels{};
};
constexpr topic<picture> pictures{"t.pictures"};

}  // namespace

TEST_CASE("publish_options: key and headers arrive as they were given, small or large", "[engine]") {
  bus b;
  loop here;
  const std::string large(5000, 'x');
  std::vector<std::string> seen;
  auto sub = b.subscribe(numbers, {.on = here}, [&](const number&, const context& with) {
    seen.emplace_back(with.key());
    seen.emplace_back(with.header("tenant").value_or("-"));
    seen.emplace_back(with.header("größe").value_or("-"));
    seen.push_back(std::to_string(with.header_count()));
  });
  auto out = b.publisher(numbers);
  out.publish({1}, {.key = "customer-7", .headers = {{"tenant", "acme"}, {"größe", large}}});
  out.publish({2}, {.key = "k"});
  out.publish({3}, {.headers = {{"tenant", std::string_view("a\0b", 3)}}});
  out.publish({4});
  here.run_until_idle();
  REQUIRE(seen.size() == 16);
  CHECK(seen[0] == "customer-7");
  CHECK(seen[1] == "acme");
  CHECK(seen[2] == large);
  CHECK(seen[3] == "2");
  CHECK(seen[4] == "k");
  CHECK(seen[7] == "0");
  CHECK(seen[9] == std::string("a\0b", 3));
  CHECK(seen[15] == "0");
}

TEST_CASE("publish_options: what is over a limit is too_large, and nobody gets it", "[engine]") {
  bus b;
  loop here;
  int seen = 0;
  auto sub = b.subscribe(numbers, {.on = here}, [&](const number&) { ++seen; });
  CHECK(b.publish(numbers, {1}, {.key = std::string(256, 'k')}) == publish_status::too_large);
  CHECK(b.publish(numbers, {1}, {.headers = {{"", "unnamed"}}}) == publish_status::too_large);
  CHECK(b.publish(numbers, {1}, {.headers = {{"n", std::string(16384, 'v')}}}) == publish_status::too_large);
  CHECK(b.publish(numbers, {1}, {.headers = std::vector<header>(65, {"n", "v"})}) == publish_status::too_large);
  CHECK(b.publish(numbers, {1}, {.headers = std::vector<header>(64, {"n", "v"})}) == publish_status::accepted);
  CHECK(b.publish(numbers, {1}, {.key = std::string(255, 'k')}) == publish_status::accepted);
  here.run_until_idle();
  CHECK(seen == 2);
}

TEST_CASE("publish_options: a correlation of one's own replaces the handler's, causation stays", "[engine]") {
  bus b;
  loop here;
  const message_id conversation{{7, 8}, 9};
  message_id asked;
  auto asking = b.subscribe(numbers, {.on = here}, [&](const number& n, const context& with) {
    asked = with.id();
    b.publish(answers, n, {.correlation = conversation});
  });
  auto answering = b.subscribe(answers, {.on = here}, [&](const number&, const context& with) {
    CHECK(with.correlation() == conversation);
    CHECK(with.causation() == asked);
    CHECK(with.key().empty());
  });
  b.publish(numbers, {1}, {.key = "not forwarded"});
  here.run_until_idle();
  CHECK(answering.counters().handled == 1);
}

TEST_CASE("publish_options: key and headers survive a loss that is told with the message", "[engine]") {
  bus b;
  loop here;
  std::string key;
  std::uint64_t lost = 0;
  auto sub = b.subscribe(numbers, {.capacity = 1, .overflow = overflow::drop_newest(), .on = here},
                         [&](const number&, const context& with) {
                           key = with.key();
                           lost = with.lost_before();
                         });
  b.publish(numbers, {1});
  b.publish(numbers, {2}, {.key = "dropped"});
  here.run_until_idle();
  b.publish(numbers, {3}, {.key = "kept"});
  here.run_until_idle();
  CHECK(key == "kept");
  CHECK(lost == 1);
}

TEST_CASE("publish_batch: accepts a prefix, says how long, and repeating the rest is safe", "[engine]") {
  bus b;
  loop here;
  std::vector<int> seen;
  auto sub = b.subscribe(numbers, {.capacity = 3, .on = here}, [&](const number& n) { seen.push_back(n.value); });
  auto out = b.publisher(numbers, {.wait_max = base::duration::zero()});
  const std::array<number, 5> all{{{1}, {2}, {3}, {4}, {5}}};
  const batch_status first = out.publish_batch(all);
  CHECK(first.status == publish_status::would_block);
  CHECK(first.accepted_prefix == 3);
  here.run_until_idle();
  const batch_status rest = out.publish_batch(std::span(all).subspan(first.accepted_prefix));
  CHECK(rest.status == publish_status::accepted);
  CHECK(rest.accepted_prefix == 2);
  here.run_until_idle();
  CHECK(seen == std::vector<int>{1, 2, 3, 4, 5});
}

TEST_CASE("publish_batch: moves what is accepted and leaves the rest alone", "[engine]") {
  bus b;
  loop here;
  int sum = 0;
  auto sub = b.subscribe(owned, {.capacity = 2, .on = here}, [&](const std::unique_ptr<int>& p) { sum += *p; });
  auto out = b.publisher(owned, {.wait_max = base::duration::zero()});
  std::vector<std::unique_ptr<int>> all;
  for (int i = 1; i <= 3; ++i) all.push_back(std::make_unique<int>(i));
  CHECK(out.publish_batch(std::span(all)).accepted_prefix == 2);
  CHECK(all[0] == nullptr);
  CHECK(all[1] == nullptr);
  CHECK(all[2] != nullptr);
  here.run_until_idle();
  CHECK(sum == 3);
}

TEST_CASE("publish_batch: without subscribers it says so", "[engine]") {
  bus b;
  auto out = b.publisher(numbers);
  const std::array<number, 2> all{};
  CHECK(out.publish_batch(all).status == publish_status::no_subscribers);
  CHECK(out.publish_batch(std::span<const number>()).status == publish_status::accepted);
}

TEST_CASE("loan: the message is built where its receivers read it", "[engine]") {
  bus b;
  loop here;
  const void* read = nullptr;
  auto sub = b.subscribe(pictures, {.on = here}, [&](const picture& p) { read = &p; });
  auto out = b.publisher(pictures);
  auto next = out.loan();
  const void* const written = &*next;
  next->pixels[7] = 7;
  CHECK(next.publish() == publish_status::accepted);
  here.run_until_idle();
  CHECK(read == written);
}

TEST_CASE("loan: refused it stays, given up it is destroyed, small ones work alike", "[engine]") {
  bus b;
  loop here;
  std::vector<std::string> seen;
  auto sub = b.subscribe(words, {.capacity = 1, .on = here}, [&](const std::string& w) { seen.push_back(w); });
  auto out = b.publisher(words);
  { auto unused = out.loan("never published"); }
  CHECK(out.publish("first") == publish_status::accepted);
  auto second = out.loan(std::size_t{100}, 'x');
  CHECK(second.try_publish() == publish_status::would_block);
  *second += "y";
  here.run_until_idle();
  CHECK(second.try_publish() == publish_status::accepted);
  here.run_until_idle();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == "first");
  CHECK(seen[1] == std::string(100, 'x').append("y"));
  int sum = 0;
  auto small = b.subscribe(numbers, {.on = here}, [&](const number& n) { sum += n.value; });
  auto numbered = b.publisher(numbers);
  auto seven = numbered.loan(number{7});
  CHECK(seven.publish() == publish_status::accepted);
  here.run_until_idle();
  CHECK(sum == 7);
}

TEST_CASE("loan: what a handler lends and finds no room is held like any message", "[engine]") {
  bus b;
  loop asking;
  loop storing;
  std::vector<std::string> stored;
  auto out = b.publisher(words);
  auto sub = b.subscribe(numbers, {.on = asking}, [&](const number& n) {
    auto word = out.loan(std::to_string(n.value));
    CHECK(word.publish() == publish_status::accepted);
  });
  auto store = b.subscribe(words, {.capacity = 1, .on = storing}, [&](const std::string& w) { stored.push_back(w); });
  for (int i = 0; i != 3; ++i) b.publish(numbers, {i});
  for (int i = 0; i != 4; ++i) {
    asking.run_until_idle();
    storing.run_until_idle();
  }
  CHECK(stored == std::vector<std::string>{"0", "1", "2"});
}
