// What topics retain for who comes later.
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "scenario.hpp"

namespace amphibus::testing {
namespace {

constexpr std::size_t far = 1;
constexpr std::uint64_t keys = 23;

/// Readers join while two writers publish: each gets everything from the first message on.
void history_then_live(const subject& of, reporter& to) {
  constexpr std::uint64_t per_writer = 3'000;
  scenario s(of, to);
  writer<note> near_out(s, 0, kept_notes, "near");
  writer<note> far_out(s, far, kept_notes, "far");
  reader<note> first(s, far, kept_notes, {.name = "first"});
  s.make_ready();
  std::atomic<int> publishing{2};
  std::vector<std::thread> threads;
  for (writer<note>* each : {&near_out, &far_out}) {
    threads.emplace_back([&publishing, each] {
      for (std::uint64_t i = 0; i != per_writer; ++i) each->insist();
      --publishing;
    });
  }
  std::vector<std::unique_ptr<reader<note>>> late;
  while (publishing != 0 && late.size() != 8) {
    const std::string name = "late-" + std::to_string(late.size());
    late.push_back(std::make_unique<reader<note>>(
        s, far, kept_notes, reader_options{.name = name, .capacity = 16'384, .start = start::history(10'000)}));
  }
  for (auto& each : threads) each.join();
  late.push_back(std::make_unique<reader<note>>(s, far, kept_notes,
                                                reader_options{.name = "after all", .start = start::history(10'000)}));
  for (const auto& each : late) s.wait_for(each->index(), 2 * per_writer);
  s.judge();
}

void last_values(const subject& of, reporter& to) {
  scenario s(of, to);
  writer<note> out(s, 0, kept_notes, "out");
  s.make_ready();
  for (int i = 0; i != 1'000; ++i) {
    s.check(out.publish_with_key(keys) == publish_status::accepted, "a topic that retains did not take a message");
  }
  std::map<std::uint64_t, std::uint64_t> last;
  std::uint64_t count = 0;
  watched seen;
  auto late = s.at(far).subscribe(kept_notes, {.start = start::last_value()}, [&](const note& got) {
    seen.change([&] {
      last[got.number % keys] = got.number;
      ++count;
    });
  });
  for (int i = 0; i != 10; ++i) out.publish_with_key(keys);
  s.check(seen.wait([&] { return count == keys + 10; }), "not one message of each key, and then those that followed");
  for (const auto& [key, number] : last)
    s.check(number > 1'010 - keys, "not the last one of key " + std::to_string(key));
  s.judge();
}

void more_than_retained_is_refused(const subject& of, reporter& to) {
  scenario s(of, to);
  const auto got = s.at(far).try_subscribe(notes, {.start = start::last_value()}, [](const note&) {});
  s.check(!got.has_value() && got.error().code() == error_code::bad_option,
          "a history of a topic that retains nothing is not refused");
  s.judge();
}

/// Where the transport does not say that it hands out what is retained, it has to refuse.
void retaining_topic_is_refused(const subject& of, reporter& to) {
  if (of.promises.retains) return;
  scenario s(of, to);
  std::string why;
  try {
    s.at(far).publish(kept_notes, {});
  } catch (const error& refused) {
    why = refused.what();
  }
  s.check(why.find("AMB-E0310") != std::string::npos && why.find(kept_notes.name()) != std::string::npos,
          "a topic that retains messages may leave the process: " + why);
  s.judge();
}

}  // namespace

case_list retention_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> needs{&promise::retains, &promise::lossless_while_connected,
                                           &promise::free_of_duplicates};
  return {
      {"who joins late gets the history and then what is live", {"history"}, needs, everywhere, history_then_live},
      {"who joins late gets the last value of each key", {"history"}, needs, everywhere, last_values},
      {"more history than is retained is refused", {"history"}, {}, everywhere, more_than_retained_is_refused},
      {"a topic that retains is refused where joining brings nothing",
       {"history"},
       {},
       between_processes,
       retaining_topic_is_refused},
  };
}

}  // namespace amphibus::testing
