#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/watched.hpp"

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> numbers{"t.numbers"};
constexpr topic<number> answers{"t.answers"};
constexpr topic<std::string> words{"t.words"};
struct parting {
  std::shared_ptr<void> last;  // its deleter runs with the message's end
};
constexpr topic<parting> partings{"t.partings", retain::history(1)};

}  // namespace

TEST_CASE("inline_: the handler ran on this thread before publish returns", "[engine]") {
  bus b;
  std::thread::id ran;
  std::string text;
  auto first = b.subscribe(numbers, {.on = inline_}, [&](const number&) { ran = std::this_thread::get_id(); });
  auto second = b.subscribe(words, {.on = inline_}, [&](const std::string& w) { text = w; });
  CHECK(b.publish(numbers, {1}) == publish_status::accepted);
  CHECK(ran == std::this_thread::get_id());
  CHECK(b.publisher(words).publish("a message that does not fit into a slot of the queue") == publish_status::accepted);
  CHECK(text == "a message that does not fit into a slot of the queue");
  CHECK(first.counters().handled == 1);
}

TEST_CASE("inline_: every handler form, beside queues, patterns, batches and loans", "[engine]") {
  bus b;
  loop here;
  int queued = 0;
  std::vector<int> seen;
  auto plain = b.subscribe(numbers, {.on = here}, [&](const number& n) { queued += n.value; });
  auto with_context = b.subscribe(numbers, {.on = inline_}, [&](const number& n, const context& with) {
    CHECK(with.topic() == "t.numbers");
    CHECK(with.key() == "k");
    seen.push_back(n.value);
  });
  auto batched = b.subscribe(numbers, {.on = inline_}, [&](batch<number> all) {
    CHECK(all.size() == 1);
    seen.push_back(all[0].value);
  });
  auto any = b.subscribe(pattern<any_message>{">"}, {.on = inline_},
                         [&](const any_message& m) { seen.push_back(m.as<number>()->value); });
  b.publish(numbers, {7}, {.key = "k"});
  CHECK(seen == std::vector<int>{7, 7, 7});
  with_context.end();
  b.publisher(numbers).publish_batch(std::vector<number>{{1}, {2}});
  auto out = b.publisher(numbers);
  auto lent = out.loan(number{3});
  CHECK(lent.publish() == publish_status::accepted);
  here.run_until_idle();
  CHECK(queued == 13);
  CHECK(seen.size() == 9);
}

TEST_CASE("inline_: nothing is called when somebody else refuses", "[engine]") {
  bus b;
  loop here;
  int called = 0;
  auto blocking = b.subscribe(numbers, {.capacity = 1, .on = here}, [](const number&) {});
  auto direct = b.subscribe(numbers, {.on = inline_}, [&](const number&) { ++called; });
  CHECK(b.try_publish(numbers, {1}) == publish_status::accepted);
  CHECK(b.try_publish(numbers, {2}) == publish_status::would_block);
  CHECK(called == 1);
}

TEST_CASE("inline_: handlers may publish again on the same topic, subscribe and unsubscribe", "[engine]") {
  bus b;
  std::vector<int> seen;
  std::optional<subscription> late;
  auto counting = b.subscribe(numbers, {.on = inline_}, [&](const number& n) {
    seen.push_back(n.value);
    if (n.value > 0) b.publish(numbers, {n.value - 1});
    if (n.value == 0 && !late) late = b.subscribe(numbers, {.on = inline_}, [&](const number&) { seen.push_back(-1); });
  });
  b.publish(numbers, {2});
  CHECK(seen == std::vector<int>{2, 1, 0});
  b.publish(numbers, {0});
  CHECK(seen == std::vector<int>{2, 1, 0, 0, -1});
}

TEST_CASE("inline_: correlation and causation follow through nested calls", "[engine]") {
  bus b;
  message_id first;
  message_id cause;
  message_id conversation;
  auto asking = b.subscribe(numbers, {.on = inline_}, [&](const number& n, const context& with) {
    first = with.id();
    b.publish(answers, n);
  });
  auto answering = b.subscribe(answers, {.on = inline_}, [&](const number&, const context& with) {
    cause = with.causation();
    conversation = with.correlation();
  });
  b.publish(numbers, {1});
  CHECK(cause == first);
  CHECK(conversation == first);
}

TEST_CASE("inline_: called inside a lane, what finds no room is held with the lane's message", "[engine]") {
  bus b;
  loop lane;
  loop storing;
  int stored = 0;
  auto out = b.publisher(answers);
  auto lane_sub = b.subscribe(words, {.on = lane}, [&](const std::string&) { b.publish(numbers, {1}); });
  auto direct = b.subscribe(numbers, {.on = inline_}, [&](const number& n) {
    for (int i = 0; i != 3; ++i) CHECK(out.publish(n) == publish_status::accepted);
  });
  auto store = b.subscribe(answers, {.capacity = 1, .on = storing}, [&](const number&) { ++stored; });
  b.publish(words, "go");
  lane.run_once();
  CHECK(lane_sub.counters().pending == 1);
  for (int i = 0; i != 4; ++i) {
    storing.run_until_idle();
    lane.run_until_idle();
  }
  CHECK(stored == 3);
  CHECK(lane_sub.counters().pending == 0);
}

TEST_CASE("inline_: a held message calls when it is placed, not before", "[engine]") {
  bus b;
  loop lane;
  loop storing;
  std::vector<int> called;
  auto direct = b.subscribe(answers, {.on = inline_}, [&](const number& n) { called.push_back(n.value); });
  auto store = b.subscribe(answers, {.capacity = 1, .on = storing}, [](const number&) {});
  auto asking = b.subscribe(words, {.on = lane}, [&](const std::string&) {
    b.publish(answers, {1});
    b.publish(answers, {2});
  });
  b.publish(words, "go");
  lane.run_once();
  CHECK(called == std::vector<int>{1});
  storing.run_until_idle();
  lane.run_until_idle();
  CHECK(called == std::vector<int>{1, 2});
}

TEST_CASE("inline_: its end waits for a call on another thread, and the callable is destroyed", "[engine]") {
  bus b;
  support::barrier at;
  std::atomic<bool> finished{false};
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> callable = owned;
  std::optional<subscription> sub = b.subscribe(numbers, {.on = inline_}, [&, owned = std::move(owned)](const number&) {
    at.pass();
    finished = true;
  });
  std::thread publishing([&] { b.publish(numbers, {1}); });
  at.wait_for_visitor();
  std::thread opener([&] { at.open(); });
  sub.reset();
  CHECK(finished);
  CHECK(callable.expired());
  opener.join();
  publishing.join();
  CHECK(b.publish(numbers, {2}) == publish_status::no_subscribers);
}

TEST_CASE("inline_: ended inside its own nested call nothing further starts, and the last frame destroys it",
          "[engine]") {
  bus b;
  auto owned = std::make_shared<int>(0);
  const std::weak_ptr<int> callable = owned;
  std::optional<subscription> sub;
  int calls = 0;
  bool alive_after_end = false;
  sub = b.subscribe(numbers, {.on = inline_}, [&, owned = std::move(owned)](const number& n) {
    ++calls;
    if (n.value > 0) {
      b.publish(numbers, {n.value - 1});
    } else {
      sub.reset();
      b.publish(numbers, {0});
    }
    alive_after_end = !callable.expired();
  });
  b.publish(numbers, {3});
  CHECK(calls == 4);
  CHECK(alive_after_end);
  CHECK(callable.expired());
}

TEST_CASE("inline_: a bus that closes while publishers call lets every call return", "[engine]") {
  for (int round = 0; round != 100; ++round) {
    auto b = std::make_unique<bus>();
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    std::vector<subscription> subscriptions;
    const std::size_t handlers = round % 2 == 0 ? 1 : 3;  // one is called another way than several
    for (std::size_t i = 0; i != handlers; ++i) {
      subscriptions.push_back(b->subscribe(numbers, {.on = inline_}, [&, alive = std::make_shared<int>(1)](number) {
        ++inside;
        if (*alive != 1) overlapped = true;
        --inside;
      }));
    }
    // Where there is a queue, too, the calls come when the gate is left.
    if (round % 5 == 0) subscriptions.push_back(b->subscribe(numbers, [](const number&) {}));
    std::vector<std::thread> publishing;
    std::atomic<int> begun{0};
    for (int i = 0; i != 2; ++i) {
      publishing.emplace_back([&, out = b->publisher(numbers)]() mutable {
        for (int n = 0; out.publish({n}) != publish_status::closed; ++n) {
          if (n == 10) ++begun;
        }
      });
    }
    while (begun != 2) std::this_thread::yield();
    if (round % 3 == 0) subscriptions.clear();
    b->close();
    CHECK(inside == 0);
    CHECK_FALSE(overlapped);
    for (auto& each : publishing) each.join();
  }
}

TEST_CASE("inline_: a call comes to nothing where what is no longer retained closes the bus before it", "[engine]") {
  bus b;
  int called = 0;
  auto sub = b.subscribe(partings, {.on = inline_}, [&](const parting&) { ++called; });
  auto out = b.publisher(partings);
  CHECK(out.publish({std::shared_ptr<void>(nullptr, [&](void*) { b.close(); })}) == publish_status::accepted);
  CHECK(called == 1);
  CHECK(out.publish({}) == publish_status::accepted);  // the first one ends after it is pushed, and before the call
  CHECK(called == 1);
  CHECK(out.publish({}) == publish_status::closed);
}

TEST_CASE("inline_: an exception is counted, told and harms nobody", "[engine]") {
  bus b;
  std::string told;
  int others = 0;
  b.on_event([&](const event& what) { told = what.text; });
  auto failing = b.subscribe(numbers, {.on = inline_}, [](const number&) { throw std::runtime_error("no"); });
  auto other = b.subscribe(numbers, {.on = inline_}, [&](const number&) { ++others; });
  CHECK(b.publish(numbers, {1}) == publish_status::accepted);
  CHECK(failing.counters().failed == 1);
  CHECK(told == "no");
  CHECK(others == 1);
}

TEST_CASE("inline_: capacity and overflow have no meaning and are refused", "[engine]") {
  bus b;
  const auto ignore = [](const number&) {};
  CHECK(b.try_subscribe(numbers, {.capacity = 7, .on = inline_}, ignore).error().code() == error_code::bad_option);
  CHECK(b.try_subscribe(numbers, {.overflow = overflow::latest(), .on = inline_}, ignore).error().code() ==
        error_code::bad_option);
}

TEST_CASE("inline_: a million calls in a row have the numbers that follow each other, and are counted", "[engine]") {
  bus b;
  std::uint64_t next = 1;
  std::uint64_t wrong = 0;
  auto out = b.publisher(numbers);
  auto count = [&](const number&, const context& with) { wrong += with.id().sequence == next++ ? 0 : 1; };
  auto all = b.subscribe(numbers, {.on = inline_}, count);
  constexpr std::uint64_t many = (std::uint64_t{1} << 20U) + 200;  // once in 2^20 somebody looks whether they last
  for (std::uint64_t i = 0; i != many; ++i) out.publish({1});
  CHECK(wrong == 0);
  CHECK(b.counters(numbers).published == many);
  CHECK(all.counters().handled == many);
  auto another = b.subscribe(numbers, {.on = inline_}, [](const number&) {});
  out.publish({1});
  out = b.publisher(numbers);  // the one before is gone, and what it published stays counted
  CHECK(wrong == 0);
  CHECK(b.counters(numbers).published == many + 1);
  CHECK(another.counters().handled == 1);
}

TEST_CASE("inline_: a context says the same throughout a call, whatever is published and ends meanwhile", "[engine]") {
  bus b;
  std::optional<publisher<number>> out(b.publisher(numbers));
  std::vector<message_id> before;
  std::vector<message_id> after;
  std::vector<message_id> causes;
  auto follows = b.subscribe(answers, {.on = inline_},
                             [&](const number&, const context& with) { causes.push_back(with.causation()); });
  auto all = b.subscribe(numbers, {.on = inline_}, [&](const number& n, const context& with) {
    before.push_back(with.id());
    if (n.value == 3) b.publish(answers, {n.value});
    if (n.value == 5) CHECK(out->try_publish({100}) == publish_status::accepted);
    if (n.value == 7) out.reset();
    after.push_back(with.id());
  });
  for (int i = 1; out; ++i) out->publish({i});
  REQUIRE(before.size() == 8);
  CHECK(before[5].sequence == 6);  // the one inside of the fifth
  std::swap(after[4], after[5]);   // which is over before that
  CHECK(before == after);
  CHECK(causes == std::vector<message_id>{before[2]});
  CHECK(b.counters(numbers).published == 8);
}

TEST_CASE("inline_: several are called, and one that ends itself or throws keeps nobody's number or count",
          "[engine]") {
  bus b;
  auto out = b.publisher(numbers);
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
  std::optional<subscription> ends;
  auto one = b.subscribe(numbers, {.on = inline_}, [&](const number& n, const context& with) {
    first.push_back(with.id().sequence);
    if (n.value % 4 == 3) throw std::runtime_error("a third is enough");
  });
  ends = b.subscribe(numbers, {.on = inline_}, [&](const number& n, const context& with) {
    second.push_back(with.id().sequence);
    if (n.value == 7) ends->end();
  });
  for (int i = 1; i <= 10; ++i) CHECK(out.publish({i}) == publish_status::accepted);
  CHECK(first == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(second == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7});
  CHECK(b.counters(numbers).published == 10);
  CHECK(one.counters().handled == 10);
  CHECK(one.counters().failed == 2);
}

TEST_CASE("inline_: publishers on many threads while subscriptions come and go lose nothing they were promised",
          "[engine]") {
  bus b;
  constexpr int threads = 3;
  constexpr int each = 3'000;
  std::atomic<int> steady{0};
  std::atomic<int> inside_ended{0};
  auto always = b.subscribe(numbers, {.on = inline_}, [&](const number&) { ++steady; });
  std::vector<std::thread> publishing;
  for (int t = 0; t != threads; ++t) {
    publishing.emplace_back([&] {
      auto out = b.publisher(numbers);
      for (int i = 0; i != each; ++i) out.publish({i});
    });
  }
  std::uint64_t seen = 0;
  bool monotone = true;
  const auto look = [&] {
    const std::uint64_t before = std::exchange(seen, b.counters(numbers).published);
    monotone = monotone && seen >= before;
  };
  for (int i = 0; i != 200; ++i) {
    for (int looks = 0; looks != 20; ++looks) look();
    auto ended = std::make_shared<std::atomic<bool>>(false);
    auto sub = b.subscribe(numbers, {.on = inline_}, [&, ended](const number&) { inside_ended += *ended ? 1 : 0; });
    sub.end();
    *ended = true;
  }
  for (auto& t : publishing) t.join();
  CHECK(steady == threads * each);
  CHECK(b.counters(numbers).published == threads * each);
  look();
  CHECK(seen == threads * each);
  CHECK(monotone);
  CHECK(inside_ended == 0);
}
