// Coroutines that wait in receivers.
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>

#include "cases.hpp"
#include "scenario.hpp"

namespace amphibus::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t far = 1;

/// A coroutine that records what it receives, as one reader of the history.
task read(receiver<note> in, history& past, std::uint32_t reader) {
  while (const auto next = co_await in.next()) record(past, reader, **next, next->with());
}

void every_message(const subject& of, reporter& to) {
  scenario s(of, to);
  auto workers = s.at(far).pool("workers", {.threads = 2});
  std::vector<task> reading;
  std::vector<std::uint32_t> readers;
  for (const executor_choice& on : {executor_choice(serial), executor_choice(dedicated), executor_choice(workers)}) {
    const std::string name = "reader-" + std::to_string(readers.size());
    readers.push_back(s.past().add_reader(name, std::string(notes.name())));
    reading.push_back(
        read(s.at(far).receiver(
                 notes, {.name = name, .capacity = 64, .overflow = overflow::block(watched::patience), .on = on}),
             s.past(), readers.back()));
  }
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (int i = 0; i != 5'000; ++i) out.insist();
  for (const std::uint32_t each : readers) s.wait_for(each, 5'000);
  s.judge();
  for (const task& each : reading) s.check(each.finished(), "a coroutine was not told that its bus closed");
}

/// What a coroutine publishes is caused by what it awaited, also where it has to wait for room.
void answers_have_causes(const subject& of, reporter& to) {
  scenario s(of, to);
  plain_writer<note> answers(s, far, replies, "answers");
  const auto answer = [](receiver<note> in, plain_writer<note>& with) -> task {
    while (const auto next = co_await in.next()) with.publish(0, name_of(**next));
  };
  const auto answering = answer(s.at(far).receiver(notes, {.overflow = overflow::block(watched::patience)}), answers);
  reader<note> back(s, 0, replies, {.name = "back", .capacity = 16});
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (int i = 0; i != 2'000; ++i) out.insist();
  s.wait_for(back.index(), 2'000);
  s.judge();
}

/// The end of a task is an end, while messages come.
void end_of_a_task(const subject& of, reporter& to) {
  scenario s(of, to);
  auto workers = s.at(far).pool("workers", {.threads = 2});
  writer<note> out(s, 0, notes, "out");
  reader<note> steady(s, far, notes, {.name = "steady"});
  s.make_ready();
  std::atomic<bool> stop{false};
  std::thread publishing([&] {
    while (!stop) {
      out.insist();
      std::this_thread::yield();
    }
  });
  std::atomic<int> inside{0};
  const auto run = [](receiver<note> in, std::atomic<int>& alive) -> task {
    struct mark {
      explicit mark(std::atomic<int>& of) : count(of) { ++count; }
      ~mark() { --count; }
      std::atomic<int>& count;
    } const here(alive);
    while (const auto next = co_await in.next(1ms)) {
    }
  };
  for (int i = 0; i != 200; ++i) {
    {
      const auto brief = run(s.at(far).receiver(notes, {.on = i % 2 == 0 ? executor_choice(serial) : workers}), inside);
      for (int k = 0; k != i % 10; ++k) std::this_thread::yield();
    }
    s.check(inside == 0, "a coroutine lives after the end of its task");
  }
  stop = true;
  publishing.join();
  s.wait_for(steady.index(), out.accepted());
  s.judge();
}

void waits_end(const subject& of, reporter& to) {
  scenario s(of, to);
  watched seen;
  std::string story;
  std::stop_source stop;
  const auto run = [](receiver<note> in, std::stop_token until, watched& changed, std::string& told) -> task {
    const auto late = co_await in.next(1ms);
    changed.change([&] { told += late ? "message " : "deadline "; });
    const auto stopped = co_await in.next(until);
    changed.change([&] { told += stopped ? "message " : "stop "; });
    const auto one = co_await in.next();
    changed.change([&] { told += one ? "message" : "end"; });
  };
  const auto running = run(s.at(far).receiver(notes), stop.get_token(), seen, story);
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  const auto expect = [&](const char* so_far, const char* complaint) {
    const bool came = seen.wait([&] { return story == so_far; });  // before the text, which reads it too
    s.check(came, complaint + story);
  };
  expect("deadline ", "no deadline ended the wait: ");
  stop.request_stop();
  expect("deadline stop ", "no stop ended the wait: ");
  out.insist();
  expect("deadline stop message", "the message after them did not come: ");
  s.judge();
}

}  // namespace

case_list coroutine_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> needs{&promise::lossless_while_connected, &promise::free_of_duplicates,
                                           &promise::ready_means_joined};
  return {
      {"a coroutine gets every message", {"coroutines"}, needs, everywhere, every_message},
      {"what a coroutine publishes has its cause",
       {"coroutines", "correlation, causation"},
       needs,
       everywhere,
       answers_have_causes},
      {"the end of a task is an end", {"coroutines", "a subscription's end"}, needs, everywhere, end_of_a_task},
      {"a wait ends at its deadline and at a stop", {"coroutines"}, needs, everywhere, waits_end},
  };
}

}  // namespace amphibus::testing
