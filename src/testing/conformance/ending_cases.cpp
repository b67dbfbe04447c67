// Draining, closing, and what publishing says afterwards.
#include "cases.hpp"
#include "scenario.hpp"

#include <atomic>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

/// Every message makes two, over three generations and two processes; drained, all of them are there.
void cascades_drain(const subject& of, reporter& to) {
  constexpr std::uint64_t seeds = 100;
  scenario s(of, to);
  plain_writer<note> second(s, 1, replies, "second");
  plain_writer<note> third(s, 0, endings, "third");
  const auto doubled = [](plain_writer<note>& by) {
    return [&by](const note& got, const context&) {
      for (int i = 0; i != 2; ++i) by.publish(0, name_of(got));
    };
  };
  reader<note> one(s, 1, notes, {.name = "one"}, doubled(second));
  reader<note> two(s, 0, replies, {.name = "two"}, doubled(third));
  reader<note> three(s, 1, endings, {.name = "three"});
  reader<note> four(s, 0, endings, {.name = "four", .on = serial});
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (std::uint64_t i = 0; i != seeds; ++i) out.publish();
  if (s.world().bus_count() == 1) {
    s.check(s.at(0).drain(watched::patience).complete(), "it does not drain");
    s.check(s.past().received_count(three.index()) == 4 * seeds, "drained before the last generation was handled");
  }
  s.wait_for(three.index(), 4 * seeds);
  s.wait_for(four.index(), 4 * seeds);
  s.judge();
}

void no_drain_inside(const subject& of, reporter& to) {
  scenario s(of, to);
  std::atomic<drain_status> drained{};
  std::atomic<drain_status> closed{};
  reader<note> there(s, 1, notes, {.name = "there"}, [&](const note&, const context&) {
    drained = s.at(1).drain().status;
    closed = s.at(1).close().status;
  });
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  out.publish();
  s.wait_for(there.index(), 1);
  s.check(s.at(1).drain(watched::patience).complete(), "it does not drain");
  s.check(drained == drain_status::called_from_handler, "drain inside a handler is not refused");
  s.check(closed == drain_status::called_from_handler, "close inside a handler is not refused");
  s.judge();
}

/// Publishers wait, a handler stands still, everything between is full: close ends at its deadline and says what was
/// left, and the publishers are told.
void close_while_blocked(const subject& of, reporter& to) {
  scenario s(of, to, {.block_timeout = 1h});
  gate still;
  reader<letter> stuck(s, 1, letters,
                       {.name = "stuck", .capacity = 4, .overflow = overflow::block(1h), .owed = history::duty::suffix},
                       [&](const letter&, const context&) { still.pass(); });
  writer<letter> filler(s, 0, letters, "filler", {.wait_max = 20ms});
  writer<letter> waiting(s, 0, letters, "waiting");
  s.make_ready();
  filler.fill(filling);
  publish_status answer{};
  std::thread blocked([&] {
    do answer = waiting.publish(filling);
    while (answer == publish_status::accepted);
  });
  close_report report;
  std::thread closing([&] { report = s.at(0).close(100ms); });
  blocked.join();  // it waits without limit: only the close can have told it
  s.check(answer == publish_status::closed, std::string("a publisher that waited is told ") + to_string(answer));
  still.open();
  closing.join();
  s.check(waiting.publish() == publish_status::closed, "a publish after close is not answered closed");
  s.check(s.at(0).close().complete(), "a second close has something left");
  // What close() left behind is reported, not delivered: what arrived has no holes.
  s.world().close();
  for (const std::uint32_t each : {filler.index(), waiting.index()}) {
    s.past().ends_before(stuck.index(), {each, s.past().last_received(stuck.index(), each) + 1});
  }
  s.judge();
}

/// Who ends while the others still connect to it has said goodbye all the same.
void close_at_once(const subject& of, reporter& to) {
  for (int i = 0; i != 100; ++i) {
    scenario s(of, to);
    std::thread other;
    if (i % 3 == 0) other = std::thread([&] { s.at(1).close(watched::patience); });
    const auto report = s.at(i % 3 == 1 ? 1 : 0).close(watched::patience);
    if (other.joinable()) other.join();
    if (!report.complete()) return s.check(false, "closing a bus that just began: " + to_string(report));
  }
}

void publish_after_close(const subject& of, reporter& to) {
  constexpr std::uint64_t before = 100;
  scenario s(of, to);
  reader<note> there(s, 1, notes, {.name = "there"});
  writer<note> out(s, 0, notes, "out");
  writer<letter> unused(s, 0, letters, "never published before");
  plain_writer<note> plain(s, 0, notes, "plain");
  s.make_ready();
  for (std::uint64_t i = 0; i != before; ++i) {
    out.publish();
    plain.publish();
  }
  s.wait_for(there.index(), 2 * before);
  s.check(s.at(0).close(watched::patience).complete(), "close with nothing to do does not complete");
  s.check(out.publish() == publish_status::closed, "a publisher of a closed bus publishes");
  s.check(unused.publish() == publish_status::closed, "a publisher of a closed bus publishes its first");
  s.check(plain.publish() == publish_status::closed, "a closed bus publishes");
  const auto late = s.at(0).try_subscribe(notes, [](const note&) {});
  s.check(!late && late.error().code() == error_code::bus_closed, "a closed bus takes subscriptions");
  s.world().end(0);
  s.check(out.publish() == publish_status::closed, "a publisher that outlives its bus publishes");
  s.judge();
}

/// Runs `what` in a child; it has to leave by _exit. Returns: its exit status, or -1 if a signal ended it.
template <class Callable>
int in_child(Callable what) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    what();
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void publish_after_fork(const subject& of, reporter& to) {
  constexpr std::uint64_t each_max = 100;
  scenario s(of, to);
  reader<note> there(s, 1, notes, {.name = "there"});
  writer<note> out(s, 0, notes, "out");
  plain_writer<note> plain(s, 0, notes, "plain");
  s.make_ready();
  for (std::uint64_t i = 0; i != each_max; ++i) out.publish();
  plain.publish();
  s.wait_for(there.index(), each_max + 1);  // nobody holds a lock when the child is made
  s.check(s.at(1).drain(watched::patience).complete(), "it does not drain");
  const int ended = in_child([&] {
    const bool closed = out.publish() == publish_status::closed && plain.publish() == publish_status::closed &&
                        s.at(0).publish(replies, {}) == publish_status::closed &&
                        s.at(1).publish(notes, {}) == publish_status::closed;
    ::_exit(closed ? 7 : 8);
  });
  s.check(ended == 7, "in the child of a fork a publish is not answered closed");
  for (std::uint64_t i = 0; i != each_max; ++i) out.publish();
  s.wait_for(there.index(), 2 * each_max + 1);
  s.judge();
}

/// A world in static storage that ends before a publisher of it speaks for the last time.
[[noreturn]] void static_world(const subject& of) {
  struct last_words {
    std::optional<publisher<note>> out;
    ~last_words() { ::_exit(out && out->publish({}) == publish_status::closed ? 7 : 8); }
  };
  static last_words speaker;  // destroyed last, because it is made first
  static world all(of, {});
  static const auto kept = all.at(1).subscribe(notes, [](const note&) {});
  speaker.out.emplace(all.at(0).publisher(notes));
  all.make_ready();
  if (speaker.out->publish({}) != publish_status::accepted) ::_exit(9);
  std::exit(0);
}

void static_destruction(const subject& of, reporter& to) {
  const int ended = in_child([&] { static_world(of); });
  if (ended == 7) return;
  to.failed("a publisher in static destruction ends the process with " + std::to_string(ended) +
            " instead of being answered closed");
}

}  // namespace

case_list ending_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> lossless{&promise::lossless_while_connected};
  return {
      {"a drain waits for cascades", {"the end"}, lossless, everywhere, cascades_drain},
      {"drain and close inside a handler refuse", {"the end"}, lossless, everywhere, no_drain_inside},
      {"close while everything is blocked",
       {"the end"},
       {&promise::lossless_while_connected, &promise::paces_publishers},
       everywhere,
       close_while_blocked},
      {"close while others still connect", {"the end"}, {}, everywhere, close_at_once},
      {"publish after close", {"the end"}, lossless, everywhere, publish_after_close},
      {"publish after fork", {"the end"}, lossless, everywhere, publish_after_fork},
      {"publish in static destruction", {"the end"}, {}, everywhere, static_destruction},
  };
}

}  // namespace amphibus::testing
