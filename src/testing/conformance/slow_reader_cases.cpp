// Who is slow, stopped or broken harms as few others as was declared.
#include "cases.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <stdexcept>

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

void dropping_reader(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 2'000;
  scenario s(of, to);
  gate still;
  reader<note> slow(
      s, 1, notes, {.name = "slow", .capacity = 8, .overflow = overflow::drop_newest(), .owed = history::duty::counted},
      [&](const note&, const context&) { still.pass(); });
  reader<note> fast(s, 1, notes, {.name = "fast"});
  reader<note> here(s, 0, notes, {.name = "here"});
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (std::uint64_t i = 0; i != all; ++i) {
    s.check(out.publish() == publish_status::accepted, "somebody who drops refuses a publish");
  }
  s.wait_for(fast.index(), all);
  s.wait_for(here.index(), all);
  s.check(still.wait_for_visitor(), "the slow reader got nothing");
  still.open();
  s.check(s.at(1).drain(watched::patience).complete(), "the slow reader does not finish");
  // One more, now that there is room: it tells of everything that was dropped before it.
  out.publish();
  s.wait_for(fast.index(), all + 1);
  s.check(s.at(1).drain(watched::patience).complete(), "the slow reader does not finish");
  const auto counted = slow.counters();
  s.check(counted.dropped >= all - 8 - 1, "only " + std::to_string(counted.dropped) + " drops are counted");
  s.check(counted.handled + counted.dropped == all + 1, "handled and dropped do not add up to what was published");
  s.judge();
  s.check(s.told(event_kind::dropped) == counted.dropped, "events tell of " +
                                                              std::to_string(s.told(event_kind::dropped)) +
                                                              " drops instead of " + std::to_string(counted.dropped));
}

/// Writers everywhere, each with a key of its own, and a handler that publishes: whatever is replaced in between, the
/// last of each key arrives, in order, and what is missing is counted.
void latest_converges(const subject& of, reporter& to) {
  constexpr std::uint64_t each_max = 5'000;
  constexpr std::size_t writers_max = 4;
  scenario s(of, to);
  plain_writer<note> telling(s, 1, replies, "telling");
  reader<note> told(s, 0, replies, {.name = "told", .capacity = 64});
  reader<note> newest(
      s, 1, notes,
      {.name = "newest", .capacity = writers_max, .overflow = overflow::latest(), .owed = history::duty::counted},
      [&](const note& got, const context&) { telling.publish(0, name_of(got)); });
  std::vector<std::uint32_t> writers;
  for (std::size_t i = 0; i != writers_max; ++i) {
    writers.push_back(s.past().add_writer("key " + std::to_string(i), std::string(notes.name())));
  }
  s.make_ready();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i != writers_max; ++i) {
    threads.emplace_back([&, i, out = s.at(i % 2).publisher(notes)]() mutable {
      const std::string key = std::to_string(i);
      for (std::uint64_t number = 1; number <= each_max; ++number) {
        const message_name name{writers[i], number};
        s.past().published(name, out.publish(make<note>(name), {.key = key}));
      }
    });
  }
  for (auto& each : threads) each.join();
  const bool all_there = s.eventually([&] {
    return std::all_of(writers.begin(), writers.end(),
                       [&](auto each) { return s.past().last_received(newest.index(), each) == each_max; });
  });
  s.check(all_there, "the last message of some key does not arrive");
  s.check(s.at(1).drain(watched::patience).complete(), "it does not drain");
  s.wait_for(told.index(), s.past().received_count(newest.index()));
  const auto counted = newest.counters();
  s.check(counted.handled + counted.replaced == writers_max * each_max && counted.dropped == 0,
          "handled and replaced do not add up to what was published");
  s.judge();
}

/// What is lost of each source is told to the next message of that source, not of whoever comes next; also what was
/// lost on the way there before it was dropped at the inbox.
void losses_by_source(const subject& of, reporter& to, overflow rule, history::duty owed,
                      const world_options& with = {}, std::size_t size = 0) {
  constexpr std::uint64_t each_max = 5'000;
  scenario s(of, to, with);
  gate still;
  reader<letter> slow(s, 1, letters, {.name = "slow", .capacity = 8, .overflow = rule, .owed = owed},
                      [&](const letter&, const context&) { still.pass(); });
  reader<letter> here(s, 0, letters, {.name = "here", .capacity = 100'000});
  writer<letter> often(s, 0, letters, "often");
  writer<letter> seldom(s, 0, letters, "seldom");
  s.make_ready();
  for (std::uint64_t i = 1; i <= each_max; ++i) {
    s.check(often.publish(size) == publish_status::accepted, "somebody who drops refuses a publish");
    if (i % 3 == 0) s.check(seldom.publish(size) == publish_status::accepted, "somebody who drops refuses a publish");
    if (i == each_max / 2) still.open();
  }
  for (int i = 0; i != 3; ++i) {
    s.check(s.at(0).drain(watched::patience).complete() && s.at(1).drain(watched::patience).complete(),
            "it does not drain");
    often.publish(size);
    seldom.publish(size);
  }
  s.wait_for(here.index(), often.count() + seldom.count());
  s.judge();
}

void losses_by_source_newest(const subject& of, reporter& to) {
  losses_by_source(of, to, overflow::drop_newest(), history::duty::counted_by_writer);
}
void losses_by_source_oldest(const subject& of, reporter& to) {
  losses_by_source(of, to, overflow::drop_oldest(), history::duty::counted_by_writer);
}
/// A gap of the way is one of the topic: who reads cannot know whose messages were in it.
void losses_by_source_on_the_way(const subject& of, reporter& to) {
  losses_by_source(of, to, overflow::drop_newest(), history::duty::counted, {.overflow = config::overflow::drop_newest},
                   filling);
}

void throwing_reader(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 999;
  scenario s(of, to);
  reader<note> broken(s, 1, notes, {.name = "broken", .on = serial}, [](const note& got, const context&) {
    if (got.number % 3 == 0) throw std::runtime_error("on purpose");
    if (got.number % 3 == 1) throw 7;
  });
  reader<note> beside(s, 1, notes, {.name = "beside", .on = serial});
  reader<note> here(s, 0, notes, {.name = "here", .on = serial});
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (std::uint64_t i = 0; i != all; ++i) out.publish();
  for (const std::uint32_t each : {broken.index(), beside.index(), here.index()}) s.wait_for(each, all);
  s.check(s.at(1).drain(watched::patience).complete(), "the broken reader does not finish");
  s.check(broken.counters().failed == all / 3 * 2, "not every failure is counted");
  s.check(broken.counters().handled == all, "a failure ended more than its own message");
  s.judge();
  s.check(s.told(event_kind::handler_failed) == all / 3 * 2, "not every failure is told");
}

/// A reader of the main route that takes nothing; the side route goes on.
void stuck_route(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 2'000;
  scenario s(of, to);
  gate still;
  reader<letter> stuck(s, 1, letters, {.name = "stuck", .capacity = 16},
                       [&](const letter&, const context&) { still.pass(); });
  reader<note> beside(s, 1, side_notes, {.name = "beside"});
  writer<letter> out(s, 0, letters, "out", {.wait_max = 50ms});
  writer<note> side(s, 0, side_notes, "side");
  s.make_ready();
  out.fill(filling);
  s.check(still.wait_for_visitor(), "the stuck reader got nothing");
  for (std::uint64_t i = 0; i != all; ++i) {
    s.check(side.publish() == publish_status::accepted, "a publisher of another route is refused");
  }
  s.wait_for(beside.index(), all);  // while the other is still stuck
  still.open();
  s.wait_for(stuck.index(), out.accepted());
  s.judge();
}

/// In one process even topics of one route do not wait for each other.
void stuck_topic(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 2'000;
  scenario s(of, to);
  gate still;
  reader<note> stuck(s, 0, notes, {.name = "stuck", .capacity = 16},
                     [&](const note&, const context&) { still.pass(); });
  reader<note> beside(s, 0, replies, {.name = "beside"});
  writer<note> out(s, 0, notes, "out", {.wait_max = 0ms});
  writer<note> other(s, 0, replies, "other");
  out.fill(0);
  for (std::uint64_t i = 0; i != all; ++i) {
    s.check(other.publish() == publish_status::accepted, "a publisher of another topic is refused");
  }
  s.wait_for(beside.index(), all);
  still.open();
  s.wait_for(stuck.index(), out.accepted());
  s.judge();
}

/// Nobody waits longer than he said, whatever subscribers ask.
void own_limit(const subject& of, reporter& to) {
  scenario s(of, to);
  gate still;
  reader<letter> stuck(s, 1, letters, {.name = "stuck", .capacity = 2, .overflow = overflow::block(1h)},
                       [&](const letter&, const context&) { still.pass(); });
  writer<letter> never(s, 0, letters, "never waits", {.wait_max = 0ms});
  writer<letter> brief(s, 0, letters, "waits briefly", {.wait_max = 5ms});
  s.make_ready();
  std::uint64_t refused = 0;
  while (refused != 20) refused += never.publish(filling) == publish_status::would_block ? 1 : 0;
  brief.fill(filling);  // returns, or the watchdog speaks
  still.open();
  s.wait_for(stuck.index(), never.accepted() + brief.accepted());
  s.judge();
}

}  // namespace

case_list slow_reader_cases() {
  using enum case_scope;
  return {
      {"a subscriber that drops harms nobody",
       {"loss", "a full inbox"},
       {&promise::lossless_while_connected, &promise::counts_losses},
       everywhere,
       dropping_reader},
      {"with latest the last of every key arrives",
       {"loss"},
       {&promise::lossless_while_connected, &promise::counts_losses},
       everywhere,
       latest_converges},
      {"what each source loses is told to its own next message",
       {"loss"},
       {&promise::lossless_while_connected, &promise::counts_losses},
       everywhere,
       losses_by_source_newest},
      {"what each source loses of its oldest is told to its own next message",
       {"loss"},
       {&promise::lossless_while_connected, &promise::counts_losses},
       everywhere,
       losses_by_source_oldest},
      {"losses on the way and at the inbox add up",
       {"loss"},
       {&promise::counts_losses},
       between_processes,
       losses_by_source_on_the_way},
      {"a subscriber that throws harms nobody",
       {"exceptions of handlers"},
       {&promise::lossless_while_connected},
       everywhere,
       throwing_reader},
      {"a stopped subscriber delays only its route",
       {"a full inbox"},
       {&promise::paces_publishers, &promise::separates_routes},
       everywhere,
       stuck_route},
      {"a stopped subscriber delays only its topic", {"a full inbox"}, {}, within_a_process, stuck_topic},
      {"a publisher's own limit ends its waiting",
       {"a full inbox"},
       {&promise::paces_publishers},
       everywhere,
       own_limit},
  };
}

}  // namespace amphibus::testing
