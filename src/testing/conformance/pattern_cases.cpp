// Subscriptions by pattern, to topics that another process makes.
#include "cases.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace amphibus::testing {
namespace {

using numbers_by_topic = std::map<std::string, std::vector<std::uint64_t>>;

/// A subscription by pattern that remembers what it got, by topic. Declare it before what publishes.
template <class T>
class collector {
 public:
  collector(scenario& in, std::size_t process, const std::string& pattern, const std::string& name = {}) {
    const auto to = amphibus::pattern<T>::parse(pattern).value();
    kept_ = in.at(process).subscribe(to, {.name = name, .on = dedicated}, [this](const T& got, const context& with) {
      state_.change([&] {
        seen_[std::string(with.topic())].push_back(name_of(got).number);
        ++count_;
        altered_ += intact(got) ? 0 : 1;
        lost_ += with.lost_before();
      });
    });
  }

  [[nodiscard]] bool wait_for(std::uint64_t count) {
    return state_.wait([&] { return count_ >= count; });
  }
  [[nodiscard]] bool wait_for(const std::string& topic, std::uint64_t count) {
    return state_.wait([&] { return seen_[topic].size() >= count; });
  }
  void end() { kept_.end(); }
  /// What it got, when nothing comes any more.
  [[nodiscard]] numbers_by_topic all() {
    numbers_by_topic out;
    state_.change([&] { out = seen_; });
    std::erase_if(out, [](const auto& each) { return each.second.empty(); });
    return out;
  }
  [[nodiscard]] bool whole() {
    bool out = false;
    state_.change([&] { out = altered_ == 0 && lost_ == 0; });
    return out;
  }

 private:
  watched state_;
  numbers_by_topic seen_;
  std::uint64_t count_ = 0;
  std::uint64_t altered_ = 0;
  std::uint64_t lost_ = 0;
  subscription kept_;
};

template <class T>
topic<T> named(scenario& in, std::size_t process, const std::string& name) {
  return in.at(process).make_topic<T>(name).value();
}

/// Publishes the numbers 1 to `count`.
template <class T>
void publish_some(scenario& s, std::size_t process, const std::string& name, std::uint64_t count) {
  auto out = s.at(process).publisher(named<T>(s, process, name));
  for (std::uint64_t number = 1; number <= count; ++number) {
    const auto answer = out.publish(make<T>({1, number}));
    s.check(answer == publish_status::accepted, name + " is answered " + to_string(answer));
  }
}

std::vector<std::uint64_t> numbers_up_to(std::uint64_t last) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t number = 1; number <= last; ++number) out.push_back(number);
  return out;
}

/// Topics that only the publishing process makes, each after readiness: nothing is missing, the first message least.
void later_topics(const subject& of, reporter& to) {
  constexpr std::uint64_t topics_max = 100;
  constexpr std::uint64_t each_max = 20;
  scenario s(of, to);
  collector<note> some(s, 1, "conformance.main.run.*");
  s.make_ready();
  numbers_by_topic wanted;
  for (std::uint64_t i = 0; i != topics_max; ++i) {
    const std::string name = "conformance.main.run." + std::to_string(i);
    publish_some<note>(s, 0, name, each_max);
    wanted[name] = numbers_up_to(each_max);
  }
  s.check(some.wait_for(topics_max * each_max), "not every message arrives");
  s.judge();
  s.check(some.all() == wanted && some.whole(), "topics arrive otherwise than they were published");
}

/// The grammar has one meaning: the same pairs match wherever the topic is made.
void same_grammar(const subject& of, reporter& to) {
  const std::vector<std::string> topics{"conformance.main.a",      "conformance.main.ab",    "conformance.main.a.b",
                                        "conformance.main.a.bc",   "conformance.main.a.b.c", "conformance.main.a-b",
                                        "conformance.main.b",      "conformance.main.b.b",   "conformance.main.main.a",
                                        "conformance.side.a",      "conformance.side.a.b",   "conformance.side._",
                                        "conformance.main.9.A.z-_"};
  const std::vector<std::string> patterns{">",
                                          "*.>",
                                          "*.*.*",
                                          "*.main.*",
                                          "*.*.a",
                                          "conformance.>",
                                          "conformance.*.a",
                                          "conformance.*.a.>",
                                          "conformance.main.>",
                                          "conformance.main.*",
                                          "conformance.main.a",
                                          "conformance.main.a.*",
                                          "conformance.main.a.>",
                                          "conformance.main.*.b",
                                          "conformance.main.*.*.*",
                                          "conformance.side.*"};
  scenario s(of, to);
  std::vector<std::unique_ptr<collector<note>>> readers;
  for (const std::string& each : patterns) readers.push_back(std::make_unique<collector<note>>(s, 1, each));
  s.make_ready();
  for (const std::string& each : topics) publish_some<note>(s, 0, each, 1);
  std::vector<numbers_by_topic> wanted(patterns.size());
  for (std::size_t i = 0; i != patterns.size(); ++i) {
    for (const std::string& each : topics) {
      if (wire::topic_matches(patterns[i], each)) wanted[i][each] = {1};
    }
    s.check(readers[i]->wait_for(wanted[i].size()), "pattern " + patterns[i] + " waits in vain");
  }
  s.judge();
  for (std::size_t i = 0; i != patterns.size(); ++i) {
    s.check(readers[i]->all() == wanted[i], "pattern " + patterns[i] + " gets other topics than it covers");
  }
}

/// Two types below one prefix: each pattern has its own and tells once that it passes over the rest.
void two_types(const subject& of, reporter& to) {
  constexpr std::uint64_t topics_max = 20;
  constexpr std::uint64_t each_max = 5;
  scenario s(of, to);
  collector<note> short_ones(s, 1, "conformance.main.mixed.*", "short");
  collector<letter> long_ones(s, 1, "conformance.main.mixed.*", "long");
  s.make_ready();
  numbers_by_topic notes_wanted;
  numbers_by_topic letters_wanted;
  for (std::uint64_t i = 0; i != topics_max; ++i) {
    const std::string index = std::to_string(i);
    publish_some<note>(s, 0, "conformance.main.mixed.note" + index, each_max);
    publish_some<letter>(s, 0, "conformance.main.mixed.letter" + index, each_max);
    notes_wanted["conformance.main.mixed.note" + index] = numbers_up_to(each_max);
    letters_wanted["conformance.main.mixed.letter" + index] = numbers_up_to(each_max);
  }
  s.check(short_ones.wait_for(topics_max * each_max), "not every note arrives");
  s.check(long_ones.wait_for(topics_max * each_max), "not every letter arrives");
  s.judge();
  s.check(short_ones.all() == notes_wanted && short_ones.whole(), "the notes are others");
  s.check(long_ones.all() == letters_wanted && long_ones.whole(), "the letters are others");
  s.check(s.events_of(event_kind::topic_skipped) == 2, "each pattern tells once that it passes topics over");
  s.check(s.events_of(event_kind::gap) == 0, "what is passed over is a gap");
}

/// A pattern beside a name, topics that several processes make and publish, its own one too: each message once.
void each_once(const subject& of, reporter& to) {
  constexpr std::size_t processes = 3;
  constexpr std::uint64_t each_max = 50;
  scenario s(of, to, {.processes = processes});
  collector<note> by_pattern(s, 1, "conformance.main.*");
  collector<note> everything(s, 2, ">");
  reader<note> by_name(s, 1, notes, {.name = "by name"});
  std::vector<std::unique_ptr<writer<note>>> writers;
  for (std::size_t i = 0; i != processes; ++i) {
    writers.push_back(std::make_unique<writer<note>>(s, i, notes, std::to_string(i)));
  }
  s.make_ready();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i != processes; ++i) {
    threads.emplace_back([&s, i, &by = *writers[i]] {
      const auto shared = named<note>(s, i, "conformance.main.shared");
      for (std::uint64_t number = 1; number <= each_max; ++number) {
        by.publish();
        s.at(i).publish(shared, make<note>({1, number}));
      }
    });
  }
  for (auto& each : threads) each.join();
  s.wait_for(by_name.index(), processes * each_max);
  s.check(by_pattern.wait_for(2 * processes * each_max), "the pattern waits in vain");
  s.check(everything.wait_for(2 * processes * each_max), "the pattern of everything waits in vain");
  s.judge();
  for (collector<note>* const each : {&by_pattern, &everything}) {
    const auto all = each->all();
    const auto count = [&](const char* name) { return all.contains(name) ? all.at(name).size() : 0; };
    s.check(all.size() == 2 && each->whole(), "a pattern has other topics than were published");
    s.check(count("conformance.main.notes") == processes * each_max, "the named topic arrives otherwise");
    s.check(count("conformance.main.shared") == processes * each_max, "the topic that all made arrives otherwise");
  }
}

/// Interest ends with the pattern, for topics of before and of later, and comes back with another.
void pattern_ends(const subject& of, reporter& to) {
  scenario s(of, to);
  collector<note> first(s, 1, "conformance.main.run.>");
  s.make_ready();
  publish_some<note>(s, 0, "conformance.main.run.a", 2);
  s.check(first.wait_for("conformance.main.run.a", 2), "the pattern waits in vain");
  first.end();
  s.make_ready();
  for (const char* const name : {"conformance.main.run.a", "conformance.main.run.b"}) {
    const auto answer = s.at(0).publish(named<note>(s, 0, name), make<note>({1, 3}));
    s.check(answer == publish_status::no_subscribers, std::string(name) + " still has somebody who wants it");
  }
  collector<note> second(s, 1, "conformance.main.*.b");
  s.make_ready();
  publish_some<note>(s, 0, "conformance.main.run.b", 2);
  s.check(second.wait_for("conformance.main.run.b", 2), "another pattern waits in vain");
  s.judge();
  s.check(first.all() == numbers_by_topic{{"conformance.main.run.a", {1, 2}}}, "an ended pattern gets more");
  s.check(second.all() == numbers_by_topic{{"conformance.main.run.b", {1, 2}}} && second.whole(),
          "what nobody wanted is a loss of the next pattern");
}

}  // namespace

case_list pattern_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> needs{&promise::finds_topics, &promise::lossless_while_connected,
                                           &promise::ready_means_joined};
  return {
      {"a pattern gets topics that appear later", {"patterns", "late joining"}, needs, everywhere, later_topics},
      {"a pattern covers the same topics everywhere", {"patterns"}, needs, everywhere, same_grammar},
      {"patterns of two types share a prefix", {"patterns"}, needs, everywhere, two_types},
      {"patterns, names and peers get each message once", {"patterns", "duplicates"}, needs, everywhere, each_once},
      {"a pattern's end ends its interest", {"patterns", "a subscription's end"}, needs, everywhere, pattern_ends},
  };
}

}  // namespace amphibus::testing
