// Coming later than others.
#include "cases.hpp"
#include "scenario.hpp"

#include <atomic>

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

/// The first publish after readiness reaches everybody, in every direction, every time.
void ready_means_joined(const subject& of, reporter& to) {
  constexpr std::size_t processes = 3;
  constexpr std::uint64_t each_max = 50;
  for (int round = 0; round != 3; ++round) {
    scenario s(of, to, {.processes = processes});
    std::vector<std::unique_ptr<reader<note>>> readers;
    std::vector<std::unique_ptr<writer<note>>> writers;
    for (std::size_t i = 0; i != processes; ++i) {
      const std::string name = std::to_string(i);
      readers.push_back(std::make_unique<reader<note>>(s, i, notes, reader_options{.name = name}));
      writers.push_back(std::make_unique<writer<note>>(s, i, notes, name));
    }
    s.make_ready();
    std::vector<std::thread> threads;
    for (const auto& each : writers) {
      threads.emplace_back([&each] {
        for (std::uint64_t i = 0; i != each_max; ++i) each->publish();
      });
    }
    for (auto& each : threads) each.join();
    for (const auto& each : readers) s.wait_for(each->index(), processes * each_max);
    s.judge();
  }
}

void missing_is_named(const subject& of, reporter& to) {
  scenario s(of, to, {.processes = 3, .opened = 1});
  reader<note> here(s, 0, notes, {.name = "here"});
  try {
    s.at(0).wait_until_ready(20ms);
    s.check(false, "ready although two processes never started");
  } catch (const error& why) {
    s.check(why.code() == error_code::not_ready, std::string("another error than not_ready: ") + why.what());
    const bool named = why.text().find("p1") != std::string::npos && why.text().find("p2") != std::string::npos;
    s.check(named, "the error does not name p1 and p2: " + why.text());
  }
  s.judge();
}

/// A subscription made while others publish gets a run without holes, from some message on.
void late_subscription(const subject& of, reporter& to) {
  constexpr std::uint64_t after = 1'000;
  scenario s(of, to);
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  s.check(out.publish() == publish_status::no_subscribers, "somebody wants a topic without subscriptions");
  std::atomic<bool> stop{false};
  std::thread publishing([&] {
    while (!stop) {
      out.insist();
      std::this_thread::yield();
    }
  });
  reader<note> late(s, 1, notes, {.name = "late", .owed = history::duty::suffix});
  s.wait_for(late.index(), after);
  reader<note> later(s, 1, notes, {.name = "later", .owed = history::duty::suffix});
  s.wait_for(later.index(), after);
  stop = true;
  publishing.join();
  s.judge();
}

/// In one process a subscription has everything published after subscribe returned.
void at_once(const subject& of, reporter& to) {
  scenario s(of, to);
  writer<note> out(s, 0, notes, "out");
  std::vector<std::unique_ptr<reader<note>>> readers;
  for (int i = 0; i != 100; ++i) {
    out.publish();
    readers.push_back(std::make_unique<reader<note>>(s, 0, notes, reader_options{.name = "late", .on = serial}));
    s.past().begins_with(readers.back()->index(), {out.index(), out.count() + 1});
  }
  out.publish();
  s.check(s.at(0).drain().complete(), "not everything is handled");
  s.judge();
}

/// wait_until_ready() again: everything subscribed so far is joined, however late it came.
void ready_again(const subject& of, reporter& to) {
  scenario s(of, to);
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  std::vector<std::unique_ptr<reader<note>>> readers;
  for (int i = 0; i != 20; ++i) {
    readers.push_back(std::make_unique<reader<note>>(s, 1, notes, reader_options{.name = "late", .on = serial}));
    s.past().begins_with(readers.back()->index(), {out.index(), out.count() + 1});
    s.make_ready();
    s.check(out.publish() == publish_status::accepted,
            "ready again, but publish " + std::to_string(i) + " reaches nobody");
  }
  s.wait_for(readers.front()->index(), out.count());
  s.judge();
}

/// Interest goes and comes back.
void interest_ends(const subject& of, reporter& to) {
  scenario s(of, to);
  writer<note> out(s, 0, notes, "out");
  auto first = std::make_unique<reader<note>>(s, 1, notes, reader_options{.name = "first"});
  s.make_ready();
  s.check(out.publish() == publish_status::accepted, "a subscription of before readiness is not known");
  const auto first_index = first->index();
  s.wait_for(first_index, 1);
  first.reset();
  s.past().ends_before(first_index, {out.index(), out.count() + 1});
  while (out.publish() != publish_status::no_subscribers) std::this_thread::yield();
  reader<note> second(s, 1, notes, {.name = "second", .owed = history::duty::suffix});
  // Stragglers of before may reach it; they are not owed.
  s.past().begins_with(second.index(), {out.index(), out.count() + 1});
  const bool came_back = s.eventually([&] {
    out.publish();
    return s.past().received_count(second.index()) != 0;
  });
  s.check(came_back, "a subscription that comes after another one gets nothing");
  s.judge();
}

}  // namespace

case_list joining_cases() {
  using enum case_scope;
  return {
      {"nothing is lost after readiness",
       {"late joining"},
       {&promise::ready_means_joined, &promise::lossless_while_connected},
       everywhere,
       ready_means_joined},
      {"readiness names who is missing",
       {"late joining"},
       {&promise::ready_means_joined},
       between_processes,
       missing_is_named},
      {"a late subscription has no holes",
       {"late joining"},
       {&promise::lossless_while_connected},
       everywhere,
       late_subscription},
      {"a late subscription begins at once", {"late joining"}, {}, within_a_process, at_once},
      {"ready again after a late subscription",
       {"late joining"},
       {&promise::ready_means_joined, &promise::lossless_while_connected},
       everywhere,
       ready_again},
      {"interest ends and comes back",
       {"late joining"},
       {&promise::lossless_while_connected},
       everywhere,
       interest_ends},
  };
}

}  // namespace amphibus::testing
