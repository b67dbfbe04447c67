// Nothing lost, nothing twice, in order: with many at once, and when there is no room.
#include "cases.hpp"
#include "scenario.hpp"

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

/// N publishers in every process, M subscriptions in every process, one topic.
template <class T>
void everybody_to_everybody(const subject& of, reporter& to, const topic<T>& over, std::uint64_t each_max) {
  constexpr std::size_t processes = 3;
  scenario s(of, to, {.processes = processes});
  std::vector<std::unique_ptr<reader<T>>> readers;
  std::vector<std::unique_ptr<writer<T>>> writers;
  for (std::size_t process = 0; process != processes; ++process) {
    for (int i = 0; i != 2; ++i) {
      const std::string name = std::to_string(process) + "." + std::to_string(i);
      readers.push_back(std::make_unique<reader<T>>(
          s, process, over, reader_options{.name = name, .on = i == 0 ? executor_choice(serial) : dedicated}));
      writers.push_back(std::make_unique<writer<T>>(s, process, over, name));
    }
  }
  s.make_ready();
  std::vector<std::thread> threads;
  for (const auto& each : writers) {
    threads.emplace_back([&each, each_max] {
      for (std::uint64_t i = 0; i != each_max; ++i) each->insist(i % 300);
    });
  }
  for (auto& each : threads) each.join();
  for (const auto& each : readers) s.wait_for(each->index(), writers.size() * each_max);
  s.judge();
}

void many_to_many_notes(const subject& of, reporter& to) { everybody_to_everybody(of, to, notes, 3'000); }
void many_to_many_letters(const subject& of, reporter& to) { everybody_to_everybody(of, to, letters, 1'000); }

void plain_publish_from_threads(const subject& of, reporter& to) {
  constexpr int threads_max = 4;
  constexpr std::uint64_t each_max = 500;
  scenario s(of, to);
  reader<note> there(s, 1, notes, {.name = "there"});
  std::vector<std::unique_ptr<plain_writer<note>>> writers;
  for (int i = 0; i != threads_max; ++i) {
    writers.push_back(std::make_unique<plain_writer<note>>(s, 0, notes, "thread " + std::to_string(i)));
  }
  s.make_ready();
  std::vector<std::thread> threads;
  for (const auto& each : writers) {
    threads.emplace_back([&each] {
      for (std::uint64_t i = 0; i != each_max; ++i) each->publish();
    });
  }
  for (auto& each : threads) each.join();
  s.wait_for(there.index(), threads_max * each_max);
  s.judge();
}

/// A reader that stands still until refusals came; the refused messages are repeated until they are accepted.
void repeat_what_is_refused(const subject& of, reporter& to, overflow rule) {
  constexpr std::uint64_t after = 500;
  scenario s(of, to);
  gate still;
  reader<letter> there(s, 1, letters, {.name = "there", .capacity = 16, .overflow = rule},
                       [&](const letter&, const context&) { still.pass(); });
  reader<letter> here(s, 0, letters, {.name = "here"});
  writer<letter> out(s, 0, letters, "impatient", {.wait_max = 1ms});
  s.make_ready();
  out.fill(filling);
  bool placed = false;
  for (int i = 0; i != 3 && !placed; ++i) placed = out.repeat(filling) == publish_status::accepted;
  still.open();
  while (!placed) placed = out.repeat(filling) == publish_status::accepted;
  for (std::uint64_t i = 0; i != after; ++i) out.insist(filling);
  s.wait_for(there.index(), out.count());
  s.wait_for(here.index(), out.count());
  s.judge();
}

void order_under_refusals(const subject& of, reporter& to) { repeat_what_is_refused(of, to, overflow::block()); }
/// In the process the publish is told at once; from another process it waits at the border: nobody loses anything.
void order_under_failures(const subject& of, reporter& to) { repeat_what_is_refused(of, to, overflow::fail()); }

/// Roomy, dropping and full receivers of one topic, here and there: a refused publish reaches none of them.
void all_or_nothing(const subject& of, reporter& to) {
  scenario s(of, to);
  gate still;
  reader<letter> roomy(s, 0, letters, {.name = "roomy", .capacity = 100'000});
  reader<letter> dropping(
      s, 0, letters,
      {.name = "dropping", .capacity = 4, .overflow = overflow::drop_newest(), .owed = history::duty::counted});
  reader<letter> full(s, 1, letters, {.name = "full", .capacity = 4},
                      [&](const letter&, const context&) { still.pass(); });
  writer<letter> out(s, 0, letters, "out", {.wait_max = 1ms});
  writer<letter> other(s, 0, letters, "other", {.wait_max = 1ms});
  s.make_ready();
  out.fill(filling);
  for (int i = 0; i != 50; ++i) {
    (void)out.try_publish(filling);
    other.publish(filling);
  }
  still.open();
  s.wait_for(full.index(), out.accepted() + other.accepted());
  s.wait_for(roomy.index(), out.accepted() + other.accepted());
  s.judge();
}

/// Two publishers that each meet the other's last places: neither may starve for ever, nothing is lost.
void small_capacity_contention(const subject& of, reporter& to) {
  constexpr std::uint64_t each_max = 1'000;
  scenario s(of, to);
  reader<note> one(s, 1, notes, {.name = "one", .capacity = 1});
  reader<note> two(s, 1, notes, {.name = "two", .capacity = 2});
  writer<note> left(s, 0, notes, "left");
  writer<note> right(s, 0, notes, "right");
  s.make_ready();
  const auto all_of = [](writer<note>& by) {
    for (std::uint64_t i = 0; i != each_max; ++i) by.insist();
  };
  std::thread other([&] { all_of(right); });
  all_of(left);
  other.join();
  s.wait_for(one.index(), 2 * each_max);
  s.wait_for(two.index(), 2 * each_max);
  s.judge();
}

/// A route that drops: what is lost is lost on purpose, and every one of it is told.
void route_that_drops(const subject& of, reporter& to) {
  constexpr std::uint64_t flood = 24'000;  // an egress holds 16384
  scenario s(of, to, {.overflow = config::overflow::drop_newest});
  gate still;
  reader<letter> there(s, 1, letters, {.name = "there", .capacity = 64, .owed = history::duty::counted},
                       [&](const letter&, const context&) { still.pass(); });
  reader<letter> here(s, 0, letters, {.name = "here", .capacity = 100'000});
  writer<letter> out(s, 0, letters, "flood");
  s.make_ready();
  for (std::uint64_t i = 0; i != flood; ++i) {
    if (out.publish(filling) == publish_status::accepted) continue;
    s.check(false, "a route that drops refuses");
    break;
  }
  still.open();
  s.check(s.at(0).drain(watched::patience).complete(), "what is left of the flood does not drain");
  out.publish();
  s.wait_for(here.index(), flood + 1);
  s.judge();
}

}  // namespace

case_list delivery_cases() {
  using enum case_scope;
  return {
      {"many publishers to many subscribers, small messages",
       {"loss", "order", "duplicates"},
       {&promise::lossless_while_connected},
       everywhere,
       many_to_many_notes},
      {"many publishers to many subscribers, pooled messages",
       {"loss", "order", "duplicates"},
       {&promise::lossless_while_connected},
       everywhere,
       many_to_many_letters},
      {"threads without publishers of their own",
       {"loss", "order"},
       {&promise::lossless_while_connected},
       everywhere,
       plain_publish_from_threads},
      {"order per source under repeated refusals",
       {"order", "a full inbox"},
       {&promise::ordered_per_source, &promise::paces_publishers},
       everywhere,
       order_under_refusals},
      {"order per source where publishes fail at once",
       {"order", "a full inbox"},
       {&promise::paces_publishers, &promise::lossless_while_connected, &promise::ordered_per_source},
       everywhere,
       order_under_failures},
      {"a refused publish reaches nobody", {"a full inbox"}, {&promise::paces_publishers}, everywhere, all_or_nothing},
      {"publishers that compete for the last places",
       {"a full inbox", "loss"},
       {&promise::paces_publishers},
       everywhere,
       small_capacity_contention},
      {"what a route drops is counted and told",
       {"loss"},
       {&promise::counts_losses},
       between_processes,
       route_that_drops},
  };
}

}  // namespace amphibus::testing
