// What handlers may do, and what nobody does to them.
#include "cases.hpp"
#include "scenario.hpp"

#include <atomic>

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

/// Counts its copies that live, so that "the callable is destroyed" can be asked.
class witness {
 public:
  explicit witness(std::atomic<int>& alive) : alive_(&alive) { ++*alive_; }
  witness(const witness& other) : alive_(other.alive_) { ++*alive_; }
  witness& operator=(const witness&) = delete;
  ~witness() { --*alive_; }

 private:
  std::atomic<int>* alive_;
};

/// Subscriptions come and go while others publish: after the destructor nothing of the handler is left.
void end_is_an_end(const subject& of, reporter& to) {
  scenario s(of, to);
  writer<note> out(s, 0, notes, "out");
  reader<note> steady(s, 1, notes, {.name = "steady"});
  s.make_ready();
  std::atomic<bool> stop{false};
  std::thread publishing([&] {
    while (!stop) {
      out.insist();
      std::this_thread::yield();
    }
  });
  std::atomic<int> alive{0};
  std::atomic<int> after_end{0};
  for (int i = 0; i != 200; ++i) {
    std::atomic<bool> ended{false};
    std::atomic<bool> ran{false};
    auto brief = s.at(1).subscribe(notes, {.on = i % 2 == 0 ? executor_choice(serial) : dedicated},
                                   [&, seen = witness(alive)](const note&) {
                                     if (ended) ++after_end;
                                     ran = true;
                                   });
    if (i % 4 < 2) {
      while (!ran) std::this_thread::yield();
    }
    brief.end();
    ended = true;
    if (alive != 0) ++after_end;
  }
  stop = true;
  publishing.join();
  s.check(after_end == 0, std::to_string(after_end) + " handlers ran or lived after their subscription's end");
  s.wait_for(steady.index(), out.accepted());
  s.judge();
}

/// The same where handlers run inside the publishes of several threads, and publish again.
void inline_end_is_an_end(const subject& of, reporter& to) {
  constexpr int threads_max = 3;
  scenario s(of, to);
  std::vector<std::unique_ptr<writer<note>>> writers;
  for (int i = 0; i != threads_max; ++i) {
    writers.push_back(std::make_unique<writer<note>>(s, i == 0 ? 0 : 1, notes, std::to_string(i)));
  }
  reader<note> steady(s, 1, notes, {.name = "steady"});
  s.make_ready();
  std::atomic<bool> stop{false};
  std::vector<std::thread> publishing;
  for (const auto& each : writers) {
    publishing.emplace_back([&] {
      while (!stop) {
        each->insist();
        std::this_thread::yield();
      }
    });
  }
  std::atomic<int> alive{0};
  std::atomic<int> after_end{0};
  for (int i = 0; i != 300; ++i) {
    std::atomic<bool> ended{false};
    std::atomic<bool> ran{false};
    auto brief = s.at(1).subscribe(notes, {.on = inline_}, [&, seen = witness(alive)](const note& got) {
      if (ended) ++after_end;
      if (got.number % 2 == 0) s.at(1).publish(side_notes, {});
      ran = true;
      if (ended) ++after_end;
    });
    if (i % 4 < 2) {
      while (!ran) std::this_thread::yield();
    }
    brief.end();
    ended = true;
    if (alive != 0) ++after_end;
  }
  stop = true;
  for (auto& each : publishing) each.join();
  s.check(after_end == 0, std::to_string(after_end) + " handlers ran or lived after their subscription's end");
  std::uint64_t accepted = 0;
  for (const auto& each : writers) accepted += each->accepted();
  s.wait_for(steady.index(), accepted);
  s.judge();
}

/// A handler ends its own subscription: nothing further starts, the callable dies when it returns.
void ends_itself(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 200;
  scenario s(of, to);
  writer<note> out(s, 0, notes, "out");
  reader<note> steady(s, 1, notes, {.name = "steady", .on = serial});
  std::atomic<int> alive{0};
  std::atomic<int> calls{0};
  std::optional<subscription> own;
  auto made = s.at(1).subscribe(notes, [&, seen = witness(alive)](const note& got) {
    ++calls;
    if (got.number == 10) own.reset();
    if (alive != 1) calls = -1000;  // it lives while it runs
  });
  own = std::move(made);
  s.make_ready();
  for (std::uint64_t i = 0; i != all; ++i) out.publish();
  s.wait_for(steady.index(), all);
  s.check(s.at(1).drain(watched::patience).complete(), "what an ended subscription left is not accounted for");
  s.check(calls == 10, std::to_string(calls) + " calls of a handler that ended itself at the tenth");
  // It dies when the handler has returned, which is a moment after the message counts as handled.
  s.check(s.eventually([&] { return alive == 0; }), "the callable outlived its handler");
  s.judge();
}

/// Subscribes, publishes, makes and drops publishers, ends others: all from inside one handler.
void everything_inside(const subject& of, reporter& to) {
  constexpr std::uint64_t all = 300;
  scenario s(of, to);
  plain_writer<note> telling(s, 1, replies, "telling");
  std::vector<std::unique_ptr<reader<note>>> made;
  reader<note> told(s, 0, replies, {.name = "told"});
  // On the same thread, so that what the busy handler makes and ends never runs beside it.
  reader<note> busy(s, 1, notes, {.name = "busy", .on = serial}, [&](const note& got, const context&) {
    if (got.number % 3 == 0) {
      made.push_back(std::make_unique<reader<note>>(
          s, 1, endings, reader_options{.name = "made", .on = serial, .owed = history::duty::suffix}));
    }
    if (got.number % 7 == 0 && !made.empty()) made.front()->end();
    writer<note> brief(s, 1, endings, "brief");
    brief.publish(0, 0, name_of(got));
    telling.publish(0, name_of(got));
  });
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (std::uint64_t i = 0; i != all; ++i) out.publish();
  s.wait_for(busy.index(), all);
  s.wait_for(told.index(), all);
  s.check(s.at(1).drain(watched::patience).complete(), "it does not drain");
  s.check(made.size() == all / 3, "not every subscription of a handler was made");
  s.judge();
}

/// A bus is destroyed by a handler of another bus of the same process.
void destroys_another_bus(const subject& of, reporter& to) {
  scenario s(of, to);
  auto other = std::make_unique<bus>();
  auto kept = other->subscribe(notes, [](const note&) {});
  auto out_of_it = other->publisher(notes);
  out_of_it.publish(make<note>({1, 1}));
  reader<note> destroying(s, 1, notes, {.name = "destroying"}, [&](const note&, const context&) { other.reset(); });
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  out.publish();
  s.wait_for(destroying.index(), 1);
  s.check(s.at(1).drain(watched::patience).complete(), "the destroying handler does not return");
  s.check(out_of_it.publish(make<note>({1, 2})) == publish_status::closed, "a publisher outlives its bus as open");
  s.judge();
}

/// Handlers of the serial executor never overlap, whatever process messages come from.
void serial_never_overlaps(const subject& of, reporter& to) {
  constexpr std::uint64_t each_max = 1'000;
  scenario s(of, to);
  int inside = 0;  // not atomic on purpose: a race detector sees an overlap too
  int overlaps = 0;
  const auto step = [&](const note&, const context&) {
    overlaps += ++inside == 1 ? 0 : 1;
    --inside;
  };
  reader<note> one(s, 1, notes, {.name = "one", .on = serial}, step);
  reader<note> two(s, 1, replies, {.name = "two", .on = serial}, step);
  writer<note> there(s, 0, notes, "there");
  writer<note> here(s, 1, replies, "here");
  s.make_ready();
  std::thread other([&] {
    for (std::uint64_t i = 0; i != each_max; ++i) there.publish();
  });
  for (std::uint64_t i = 0; i != each_max; ++i) here.publish();
  other.join();
  s.wait_for(one.index(), each_max);
  s.wait_for(two.index(), each_max);
  s.check(s.at(1).drain(watched::patience).complete(), "it does not drain");
  s.check(overlaps == 0, "handlers of the serial executor overlap");
  s.judge();
}

/// A handler publishes far more than the next inbox holds, without waiting, and loses nothing.
void held_in_order(const subject& of, reporter& to) {
  constexpr std::uint64_t burst = 200;
  constexpr std::uint64_t bursts = 20;
  scenario s(of, to);
  plain_writer<note> bursting(s, 1, replies, "bursting");
  reader<note> slow(s, 1, replies, {.name = "slow", .capacity = 4});
  reader<note> there(s, 0, replies, {.name = "there", .capacity = 4});
  reader<note> asked(s, 1, notes, {.name = "asked"}, [&](const note& got, const context&) {
    for (std::uint64_t i = 0; i != burst; ++i) bursting.publish(0, name_of(got));
  });
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (std::uint64_t i = 0; i != bursts; ++i) out.publish();
  s.wait_for(slow.index(), burst * bursts);
  s.wait_for(there.index(), burst * bursts);
  s.judge();
}

struct side {
  side(scenario& in, std::size_t process, const topic<letter>& from, const topic<letter>& to, const std::string& name)
      : out(in, process, to, name),
        in_box(in, process, from, {.name = name, .capacity = 8, .overflow = overflow::block(10ms)},
               [this](const letter& got, const context&) {
                 answered_at.pass();
                 if (got.hops == 0) return;
                 for (int i = 0; i != 2; ++i) out.publish(got.hops - 1, name_of(got), got.body.size());
               }) {}
  gate answered_at;
  plain_writer<letter> out;
  reader<letter> in_box;
};

/// Two modules answer each other with two messages for one while everything between them is full. It ends; what is
/// given up is told and counted, and nothing else is lost.
void cycle_over_full_inboxes(const subject& of, reporter& to) {
  constexpr std::size_t size = 4'096;
  constexpr std::uint32_t hops = 2;
  scenario s(of, to, {.block_timeout = 10ms});
  side ping(s, 0, letters, answers, "ping");
  side pong(s, 1, answers, letters, "pong");
  writer<letter> to_ping(s, 1, letters, "to ping", {.wait_max = 1ms});
  writer<letter> to_pong(s, 0, answers, "to pong", {.wait_max = 1ms});
  s.make_ready();
  for (int i = 0; i != 40; ++i) {
    to_ping.publish(size, hops);
    to_pong.publish(size, hops);
  }
  to_ping.fill(size);
  to_pong.fill(size);
  ping.answered_at.open();
  pong.answered_at.open();
  const auto given_up = [&] {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i != s.world().bus_count(); ++i) {
      sum += s.at(i).counters(letters).undeliverable + s.at(i).counters(answers).undeliverable;
    }
    return sum;
  };
  const bool ended = s.eventually([&] {
    const auto accepted = to_ping.accepted() + to_pong.accepted() + ping.out.accepted() + pong.out.accepted();
    const auto received = s.past().received_count(ping.in_box.index()) + s.past().received_count(pong.in_box.index());
    return accepted == received + given_up();
  });
  s.check(ended, "the cycle does not end, or something is neither handled nor counted as given up");
  const std::uint64_t undeliverable = given_up();
  s.judge(undeliverable);
  s.check(s.told(event_kind::undeliverable) == undeliverable, "not everything that was given up is told");
}

/// Behind a handler that stands still until their deadline has passed.
void expired_is_not_started(const subject& of, reporter& to) {
  constexpr int timed = 5;
  scenario s(of, to);
  gate closed;
  std::atomic<int> handled{0};
  std::atomic<bool> without_limit{true};
  std::atomic<bool> within_limit{true};
  auto slow = s.at(1).subscribe(notes, {.name = "slow"}, [&](const note&, const context& with) {
    const bool limited = with.time_left() != base::duration::max();
    if (limited && with.time_left() > 1h) within_limit = false;
    if (handled++ == 0) closed.pass();
    if (limited && handled != timed + 2) without_limit = false;  // only the last one has time
  });
  s.make_ready();
  auto out = s.at(0).publisher(notes);
  out.publish({});
  s.check(closed.wait_for_visitor(), "the handler is not called");
  for (int i = 0; i != timed; ++i) {
    out.publish({}, {.deadline = 100ms});
    out.publish({}, {.key = "for ever"});
  }
  out.publish({}, {.deadline = 1h});
  const auto unsent = [&] { return s.at(0).counters(notes).egress_expired; };  // on a slow machine the route was late
  s.check(s.eventually([&] { return slow.counters().pending + unsent() == 2 * timed + 2; }),
          "not every message arrives");
  const auto passed = base::steady_clock().now() + 110ms;
  s.check(s.eventually([&] { return base::steady_clock().now() >= passed; }), "time stands still");
  closed.open();
  s.check(s.eventually([&] { return slow.counters().pending == 0; }), "what has expired is not done with");
  s.check(handled == timed + 2, std::to_string(handled) + " handlers ran instead of 7");
  const std::uint64_t expired = slow.counters().expired + unsent();
  s.check(expired == timed, "expired are " + std::to_string(expired) + " instead of 5");
  s.check(s.wait_for_event(event_kind::expired), "no event tells of it");
  s.check(without_limit && within_limit, "the time that is left is not what was published");
  s.judge();
}

/// One that wants half beside one that wants all: what is not wanted is no loss of anybody.
void filters_keep_out(const subject& of, reporter& to) {
  constexpr int count = 2'000;
  scenario s(of, to);
  std::atomic<int> even{0};
  std::atomic<int> odd{0};
  std::atomic<std::uint64_t> lost{0};
  auto half = s.at(1).subscribe(notes, {.name = "half", .capacity = 16},
                                filter([](const note& got) { return got.number % 2 == 0; },
                                       [&](const note& got, const context& with) {
                                         ++(got.number % 2 == 0 ? even : odd);
                                         lost += with.lost_before();
                                       }));
  reader<note> all(s, 1, notes, {.name = "all"});
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (int i = 0; i != count; ++i) out.insist();
  s.wait_for(all.index(), count);
  s.check(s.eventually([&] { return even == count / 2; }), "what is wanted does not come");
  s.check(odd == 0, "what is not wanted comes");
  s.check(lost == 0, "what is not wanted is told as a loss");
  s.check(half.counters().filtered == count / 2, "filtered are " + std::to_string(half.counters().filtered));
  s.judge();
}

}  // namespace

case_list handler_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> lossless{&promise::lossless_while_connected};
  return {
      {"a subscription's end is an end", {"a subscription's end"}, lossless, everywhere, end_is_an_end},
      {"the end of a handler that publishers call is an end",
       {"a subscription's end"},
       lossless,
       everywhere,
       inline_end_is_an_end},
      {"a filter keeps out what is not wanted", {"content"}, lossless, everywhere, filters_keep_out},
      {"what has expired is not started", {"deadlines"}, lossless, everywhere, expired_is_not_started},
      {"a handler ends its own subscription", {"a subscription's end"}, lossless, everywhere, ends_itself},
      {"subscribe, publish and end inside a handler",
       {"a subscription's end", "handlers that publish"},
       lossless,
       everywhere,
       everything_inside},
      {"a handler destroys another bus", {"the end"}, lossless, everywhere, destroys_another_bus},
      {"serial handlers never overlap", {"handlers that publish"}, lossless, everywhere, serial_never_overlaps},
      {"a handler publishes more than there is room for",
       {"handlers that publish"},
       lossless,
       everywhere,
       held_in_order},
      {"a cycle over full inboxes ends",
       {"handlers that publish"},
       {&promise::lossless_while_connected, &promise::paces_publishers},
       everywhere,
       cycle_over_full_inboxes},
  };
}

}  // namespace amphibus::testing
