#include <amphibus/bus.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <random>
#include <vector>

using namespace amphibus;

namespace {

struct number {
  int value;
};
constexpr topic<number> first{"t.first"};
constexpr topic<number> second{"t.second"};
constexpr topic<number> third{"t.third"};
constexpr topic<number> fourth{"t.fourth"};
constexpr topic<number> fifth{"t.fifth"};
struct parting {
  std::shared_ptr<void> last;  // its deleter runs with the message's end
};
constexpr topic<parting> partings{"t.partings"};

struct seen {
  message_id id;
  message_id correlation;
  message_id causation;
  source_id source;
  std::string topic;
};

seen look(const context& with) {
  return {with.id(), with.correlation(), with.causation(), with.source(), std::string(with.topic())};
}

}  // namespace

TEST_CASE("context: a first message begins its own conversation", "[engine]") {
  bus b;
  loop here;
  std::vector<seen> all;
  auto sub = b.subscribe(first, {.on = here}, [&](const number&, const context& with) { all.push_back(look(with)); });
  auto out = b.publisher(first);
  out.publish({1});
  out.publish({2});
  here.run_until_idle();
  REQUIRE(all.size() == 2);
  CHECK(all[0].correlation == all[0].id);
  CHECK_FALSE(all[0].causation);
  CHECK(all[0].source == all[1].source);
  CHECK(all[1].id.sequence == all[0].id.sequence + 1);
  CHECK(all[0].topic == "t.first");
  CHECK(all[0].id.source.origin != 0);
}

TEST_CASE("context: correlation and causation follow through handlers without user code", "[engine]") {
  bus b;
  loop here;
  std::vector<seen> all;
  auto one = b.subscribe(first, {.on = here}, [&](const number& n, const context& with) {
    all.push_back(look(with));
    b.publish(second, n);
  });
  auto out = b.publisher(third);
  auto two = b.subscribe(second, {.on = here}, [&](const number& n, const context& with) {
    all.push_back(look(with));
    out.publish(n);
  });
  auto three = b.subscribe(third, {.on = here}, [&](const number&, const context& with) { all.push_back(look(with)); });
  b.publish(first, {1});
  here.run_until_idle();
  REQUIRE(all.size() == 3);
  CHECK(all[1].correlation == all[0].id);
  CHECK(all[1].causation == all[0].id);
  CHECK(all[2].correlation == all[0].id);
  CHECK(all[2].causation == all[1].id);
  CHECK(all[1].source != all[0].source);
  CHECK(all[2].id != all[1].id);
}

TEST_CASE("context: what a message's destructor publishes after its handler has that message as its cause",
          "[engine]") {
  const bool batches = GENERATE(false, true);
  bus b;
  loop here;
  std::vector<message_id> parted;
  std::vector<message_id> causes;
  auto one = b.subscribe(first, {.on = here}, [&](const number& n) {
    b.publish(partings, {std::shared_ptr<void>(nullptr, [&, n](void*) { b.publish(third, n); })});
  });
  auto two = batches ? b.subscribe(partings, {.on = here},
                                   [&](batch<parting> all) {
                                     for (std::size_t i = 0; i != all.size(); ++i)
                                       parted.push_back(all.context(i).id());
                                   })
                     : b.subscribe(partings, {.on = here},
                                   [&](const parting&, const context& with) { parted.push_back(with.id()); });
  auto three =
      b.subscribe(third, {.on = here}, [&](const number&, const context& with) { causes.push_back(with.causation()); });
  b.publish(first, {1});
  here.run_until_idle();
  REQUIRE(parted.size() == 1);
  CHECK(causes == parted);
}

TEST_CASE("context: after a handler returned its thread is an ordinary publisher again", "[engine]") {
  bus b;
  loop here;
  std::vector<seen> all;
  auto one = b.subscribe(first, {.on = here}, [&](const number&, const context& with) { all.push_back(look(with)); });
  b.publish(first, {1});
  here.run_until_idle();
  b.publish(first, {2});
  here.run_until_idle();
  REQUIRE(all.size() == 2);
  CHECK_FALSE(all[1].causation);
  CHECK(all[0].source == all[1].source);
}

TEST_CASE("context: ids print", "[engine]") {
  CHECK(to_string(message_id{{0xc0ffee, 12}, 345}) == "0000000000c0ffee/12/345");
  CHECK(to_string(message_id{}) == "-");
}

namespace {

/// Which numbers a publish takes, and where a slot tells its own, depends on what was published before it.
class numbering {
 public:
  using ways = std::vector<std::function<void()>>;

  [[nodiscard]] ways to_publish() {
    return {
        [&] { publish([&] { return out_.try_publish({count_}); }); },
        [&] { publish([&] { return beside_.try_publish({count_}); }); },
        [&] { publish([&] { return out_of_second_.try_publish({count_}); }); },
        [&] { publish([&] { return bus_.try_publish(first, {count_}); }); },
        [&] { publish([&] { return bus_.try_publish(second, {count_}); }); },
        [&] { publish([&] { return bus_.try_publish(third, {count_}); }); },
        [&] { publish([&] { return bus_.try_publish(fourth, {count_}); }); },
        [&] { publish([&] { return bus_.try_publish(fifth, {count_}); }); },
        [&] { publish([&] { return out_of_third_.try_publish({count_}); }); },
        [&] { publish([&] { return out_of_fifth_.try_publish({count_}); }); },
        [&] { publish([&] { return out_of_third_.try_publish({count_}, {.key = "told apart"}); }); },
        [&] { publish([&] { return out_.try_publish({count_}, {.key = "told apart"}); }); },
        [&] { publish([&] {
                return bus_.try_publish(second, {count_}, {.headers = {{"told", "apart"}}});
              }); },
        [&] { publish([&] { return out_.loan(count_).try_publish(); }); },
        [&] {
          here_.run_until_idle();
          std::array<number, 5> several;
          for (number& each : several) each.value = count_++;
          out_.publish_batch(several);
        },
    };
  }
  [[nodiscard]] ways to_change() {
    return {
        [&] { here_.run_until_idle(); },
        [&] { others_.push_back(bus_.subscribe(first, little_, [](const number&) {})); },
        [&] { others_.push_back(bus_.subscribe(first, stands_still_, [](const number&) {})); },
        [&] { others_.push_back(bus_.subscribe(pattern<number>("t.first"), {.on = here_}, [](const number&) {})); },
        [&] { others_.push_back(bus_.subscribe(third, {.on = inline_}, [](const number&) {})); },
        [&] { others_.push_back(bus_.subscribe(third, stands_still_, [](const number&) {})); },
        [&] { others_.clear(); },
        [&] {
          here_.run_until_idle();
          of_second_.end();
          CHECK(bus_.try_publish(second, {count_}) == publish_status::no_subscribers);
          of_second_ = bus_.subscribe(second, little_, note());
        },
    };
  }
  /// Every source's messages are there, in order, and its numbers begin with 1 and have no gap.
  void check() {
    here_.run_until_idle();
    std::size_t seen = 0;
    for (auto& [source, all] : of_source_) {
      std::sort(all.begin(), all.end());
      for (std::size_t i = 0; i != all.size(); ++i) {
        CHECK(all[i].first == i + 1);
        if (i != 0) CHECK(all[i].second > all[i - 1].second);
      }
      seen += all.size();
    }
    CHECK(of_source_.size() == 6);
    CHECK(seen == static_cast<std::size_t>(count_));
    std::uint64_t published = 0;
    for (const auto& each : {first, second, third, fourth, fifth}) published += bus_.counters(each).published;
    CHECK(published == static_cast<std::uint64_t>(count_));
    CHECK(bus_.counters(third).published == of_third_.counters().handled);
  }

 private:
  /// Until it is accepted: a refused one takes no number.
  template <class Try>
  void publish(const Try& attempt) {
    while (attempt() != publish_status::accepted) here_.run_until_idle();
    ++count_;
  }
  /// By the thread's source, which may be that of the message.
  void pass_on(const number& n, const context& with) {
    const message_id before = with.id();
    ++count_;
    CHECK(bus_.try_publish(third, {count_}) == publish_status::accepted);
    CHECK(with.id() == before);
    note()(n, with);
  }
  [[nodiscard]] std::function<void(const number&, const context&)> note() {
    return [this](const number& n, const context& with) {
      of_source_[with.source()].emplace_back(with.id().sequence, n.value);
    };
  }

  int count_ = 0;
  std::map<source_id, std::vector<std::pair<std::uint64_t, int>>> of_source_;
  bus bus_;
  loop here_;
  loop not_run_;
  publisher<number> out_ = bus_.publisher(first);
  publisher<number> beside_ = bus_.publisher(first);
  publisher<number> out_of_second_ = bus_.publisher(second);
  publisher<number> out_of_third_ = bus_.publisher(third);
  publisher<number> out_of_fifth_ = bus_.publisher(fifth);
  const subscription_options little_{.capacity = 100, .on = here_};
  const subscription_options stands_still_{.capacity = 64, .overflow = overflow::drop_oldest(), .on = not_run_};
  subscription of_first_ = bus_.subscribe(first, little_, note());
  subscription of_second_ = bus_.subscribe(second, little_, note());
  subscription of_third_ = bus_.subscribe(third, {.on = inline_}, note());
  subscription passes_on_ =
      bus_.subscribe(fifth, {.on = inline_}, [this](const number& n, const context& with) { pass_on(n, with); });
  subscription answers_ = bus_.subscribe(fourth, little_, [this](const number& n, const context& with) {
    note()(n, with);
    out_.publish({count_++});  // is held where there is no room
  });
  std::vector<subscription> others_;
};

}  // namespace

TEST_CASE("context: a source counts its messages one by one, on whatever way they are published", "[engine]") {
  const auto seed = GENERATE(range(1U, 13U));
  CAPTURE(seed);
  numbering of;
  numbering::ways all = of.to_publish();
  for (auto& each : of.to_change()) all.push_back(std::move(each));
  std::mt19937 random(seed);
  for (int turn = 0; turn != 300; ++turn) {
    const auto& way = all[random() % all.size()];
    // Mostly many of a kind, so that the short ways are taken, and blocks end.
    for (std::size_t again = random() % 4 == 0 ? random() % 40 : 1; again != 0; --again) way();
  }
  of.check();
}
