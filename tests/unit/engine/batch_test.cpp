#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
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

}  // namespace

TEST_CASE("batch: a handler gets whatever waited, in order, with each context", "[engine]") {
  bus b;
  loop here;
  std::vector<int> seen;
  std::vector<std::uint64_t> sequences;
  std::size_t calls = 0;
  auto sub = b.subscribe(numbers, {.on = here}, [&](batch<number> all) {
    ++calls;
    for (const number& each : all) seen.push_back(each.value);
    for (std::size_t i = 0; i != all.size(); ++i) sequences.push_back(all.context(i).id().sequence);
  });
  auto out = b.publisher(numbers);
  for (int i = 0; i != 300; ++i) out.publish({i});
  here.run_until_idle();
  std::vector<int> wanted(300);
  std::iota(wanted.begin(), wanted.end(), 0);
  CHECK(seen == wanted);
  CHECK(calls == 2);  // 256 at a time
  CHECK(std::is_sorted(sequences.begin(), sequences.end()));
  CHECK(sub.counters().handled == 300);
}

TEST_CASE("batch: is a random access range of messages that are never copied", "[engine]") {
  bus b;
  loop here;
  std::string joined;
  auto sub = b.subscribe(words, {.on = here}, [&](batch<std::string> all) {
    REQUIRE(all.end() - all.begin() == 3);
    joined = std::accumulate(all.begin(), all.end(), std::string());
    CHECK(&all[1] == &*(all.begin() + 1));
  });
  for (const char* each : {"a", "b", "c"}) b.publish(words, each);
  here.run_until_idle();
  CHECK(joined == "abc");
}

TEST_CASE("batch: what it publishes is caused by the message it looked at last", "[engine]") {
  bus b;
  loop here;
  std::vector<std::uint64_t> asked;
  std::vector<std::uint64_t> causes;
  auto asking = b.subscribe(numbers, {.on = here}, [&](batch<number> all) {
    for (std::size_t i = 0; i != all.size(); ++i) {
      asked.push_back(all.context(i).id().sequence);
      b.publish(answers, all[i]);
    }
  });
  auto answering = b.subscribe(
      answers, {.on = here}, [&](const number&, const context& with) { causes.push_back(with.causation().sequence); });
  for (int i = 0; i != 4; ++i) b.publish(numbers, {i});
  here.run_until_idle();
  CHECK(causes == asked);
  CHECK(causes.size() == 4);
}

TEST_CASE("batch: patterns take batches too, over several topics", "[engine]") {
  bus b;
  loop here;
  std::vector<std::string> seen;
  auto sub = b.subscribe(pattern<number>{"t.*"}, {.on = here}, [&](batch<number> all) {
    for (std::size_t i = 0; i != all.size(); ++i) {
      seen.push_back(std::string(all.context(i).topic()) + std::to_string(all[i].value));
    }
  });
  b.publish(numbers, {1});
  b.publish(answers, {2});
  here.run_until_idle();
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector<std::string>{"t.answers2", "t.numbers1"});
}

TEST_CASE("batch: an exception fails the whole batch once and harms nobody else", "[engine]") {
  bus b;
  loop here;
  int others = 0;
  auto failing = b.subscribe(numbers, {.on = here}, [](batch<number>) { throw std::runtime_error("no"); });
  auto other = b.subscribe(numbers, {.on = here}, [&](const number&) { ++others; });
  for (int i = 0; i != 3; ++i) b.publish(numbers, {i});
  here.run_until_idle();
  CHECK(failing.counters().failed == 1);
  CHECK(failing.counters().handled == 3);
  CHECK(others == 3);
}

TEST_CASE("batch: a batch whose publishes find no room keeps its places until they are placed", "[engine]") {
  bus b;
  loop asking_loop;
  loop answering_loop;
  int answered = 0;
  auto asking = b.subscribe(numbers, {.on = asking_loop}, [&](batch<number> all) {
    for (const number& each : all) CHECK(b.publish(answers, each) == publish_status::accepted);
  });
  auto answering = b.subscribe(answers, {.capacity = 2, .on = answering_loop}, [&](const number&) { ++answered; });
  for (int i = 0; i != 5; ++i) b.publish(numbers, {i});
  asking_loop.run_once();
  CHECK(asking.counters().pending == 5);
  for (int i = 0; i != 5; ++i) {
    answering_loop.run_until_idle();
    asking_loop.run_until_idle();
  }
  CHECK(asking.counters().pending == 0);
  CHECK(answered == 5);
}

TEST_CASE("batch: many are handed out where they lie, each with its own context", "[engine]") {
  bus b;
  loop here;
  constexpr int count = 5'000;
  std::vector<int> seen;
  std::vector<std::uint64_t> sequences;
  std::vector<std::size_t> sizes;
  std::size_t with_key = 0;
  auto sub = b.subscribe(numbers, {.on = here}, [&](batch<number> all) {
    sizes.push_back(all.size());
    for (std::size_t i = 0; i != all.size(); ++i) {
      seen.push_back(all[i].value);
      sequences.push_back(all.context(i).id().sequence);
      with_key += all.context(i).key().empty() ? 0U : 1U;
    }
  });
  auto out = b.publisher(numbers);
  for (int i = 0; i != count; ++i) {  // an identity of its own interrupts the sequence now and then
    i % 701 == 700 ? void(out.publish({i}, {.key = "k"})) : void(out.publish({i}));
  }
  here.run_until_idle();
  std::vector<int> wanted(count);
  std::iota(wanted.begin(), wanted.end(), 0);
  CHECK(seen == wanted);
  std::vector<std::uint64_t> numbered(count);
  std::iota(numbered.begin(), numbered.end(), sequences.front());
  CHECK(sequences == numbered);
  CHECK(with_key == count / 701);
  CHECK(*std::max_element(sizes.begin(), sizes.end()) <= 256);
  CHECK(sizes.size() <= count / 100);
  CHECK(sub.counters().handled == count);
}

TEST_CASE("batch: a few of each of several publishers come together", "[engine]") {
  bus b;
  loop here;
  std::vector<std::size_t> sizes;
  auto sub = b.subscribe(numbers, {.on = here}, [&](batch<number> all) { sizes.push_back(all.size()); });
  std::vector<publisher<number>> out;
  for (int i = 0; i != 10; ++i) out.push_back(b.publisher(numbers));
  for (int i = 0; i != 30; ++i) out[static_cast<std::size_t>(i) % out.size()].publish({i});
  here.run_until_idle();
  CHECK(sizes == std::vector<std::size_t>{30});
}

TEST_CASE("batch: one that ends its subscription is the last, and what is left is given up", "[engine]") {
  bus b;
  loop here;
  std::size_t seen = 0;
  subscription sub;
  sub = b.subscribe(numbers, {.on = here}, [&](batch<number> all) {
    seen += all.size();
    sub = {};
  });
  auto out = b.publisher(numbers);
  for (int i = 0; i != 5'000; ++i) out.publish({i});
  here.run_until_idle();
  CHECK(seen >= 1);
  CHECK(seen <= 256);
}

TEST_CASE("batch: messages with memory are given back by batches too, also by those that throw", "[engine]") {
  bus b;
  loop here;
  std::size_t seen = 0;
  std::size_t calls = 0;
  auto sub = b.subscribe(words, {.on = here}, [&](batch<std::string> all) {
    for (const std::string& each : all) seen += each.size();
    if (++calls % 2 == 0) throw std::runtime_error("no");
  });
  struct page {
    std::array<char, 1000> text;
  };
  constexpr topic<page> pages{"t.pages"};
  auto other = b.subscribe(pages, {.on = here}, [&](batch<page> all) {
    seen += all.size();
    if (++calls % 2 == 0) throw std::runtime_error("no");
  });
  auto out = b.publisher(words);
  auto also = b.publisher(pages);
  for (int i = 0; i != 3'000; ++i) {
    out.publish(std::string("one"));
    also.publish({});
  }
  here.run_until_idle();
  CHECK(seen == 4 * 3'000);
  CHECK(sub.counters().handled == 3'000);
  CHECK(other.counters().handled == 3'000);
  CHECK(sub.counters().failed + other.counters().failed == calls / 2);
  CHECK(b.memory().used_bytes == 0);
}

TEST_CASE("batch: who says little is not passed over beside who always has more", "[engine]") {
  const int others = GENERATE(1, 3);
  const int few = GENERATE(1, 40, 100);
  const int begun = GENERATE(0, 50, 200);  // where in its block the busy one is
  bus b;
  loop here;
  int arrived = 0;
  auto sub = b.subscribe(numbers, {.on = here}, [&](batch<number> all) {
    for (const number& each : all) arrived += each.value < 0 ? 1 : 0;
  });
  auto quiet = b.publisher(numbers);
  std::vector<publisher<number>> busy;
  for (int i = 0; i != others; ++i) busy.push_back(b.publisher(numbers));
  const auto fill = [&](int count) {
    for (auto& each : busy) {
      for (int i = 0; i != count; ++i) each.publish({1});
    }
  };
  fill(1'024 + begun);
  for (int i = 0; i != 4; ++i) here.run_once();
  for (int i = 0; i != few; ++i) quiet.publish({-1});
  const int passes_max = 2 * (others + 1);
  for (int pass = 0; pass != passes_max && arrived != few; ++pass) {
    fill(256);
    here.run_once();
  }
  CHECK(arrived == few);
}

TEST_CASE("batch: a context stays that of its message, whichever is looked at meanwhile", "[engine]") {
  bus b;
  loop here;
  std::size_t seen = 0;
  auto sub = b.subscribe(numbers, {.on = here}, [&](batch<number> all) {
    REQUIRE(all.size() >= 2);
    const context first = all.context(0);
    const context last = all.context(all.size() - 1);
    const std::uint64_t number_of_first = first.id().sequence;
    for (const number& each : all) seen += each.value == 7 ? 1U : 0U;
    CHECK(first.id().sequence == number_of_first);
    CHECK(last.id().sequence == number_of_first + all.size() - 1);
  });
  auto out = b.publisher(numbers);
  for (int i = 0; i != 3; ++i) out.publish({7});
  here.run_until_idle();
  for (int i = 0; i != 1'000; ++i) out.publish({7});
  here.run_until_idle();
  CHECK(seen == 1'003);
}
