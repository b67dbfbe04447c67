// Groups, keys and lanes: who gets what once, and in which order.
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "scenario.hpp"

namespace amphibus::testing {
namespace {

constexpr std::uint64_t keys = 23;
constexpr std::size_t far = 1;  // the process that reads

/// Two groups and a plain subscription on one topic, written to from both processes.
void one_member_each(const subject& of, reporter& to) {
  scenario s(of, to);
  auto workers = s.at(far).pool("workers", {.threads = 3});
  group_reader<letter> packers(s, far, letters, "packers", 0);
  group_reader<letter> printers(s, far, letters, "printers", 0);
  reader<letter> plain(s, far, letters, {.name = "plain"});
  std::vector<subscription> members;
  for (int i = 0; i != 3; ++i) {
    members.push_back(packers.join({.on = workers, .group = "packers"}));
    members.push_back(printers.join({.on = i == 0 ? executor_choice(dedicated) : workers, .group = "printers"}));
  }
  writer<letter> near_out(s, 0, letters, "near");
  writer<letter> far_out(s, far, letters, "far");
  s.make_ready();
  for (int i = 0; i != 2'000; ++i) {
    near_out.publish(static_cast<std::size_t>(i % 300));
    far_out.publish(static_cast<std::size_t>(i % 7));
  }
  for (const std::uint32_t index : {packers.index(), printers.index(), plain.index()}) s.wait_for(index, 4'000);
  s.judge();
}

void members_change(const subject& of, reporter& to) {
  scenario s(of, to);
  auto workers = s.at(far).pool("workers", {.threads = 2});
  group_reader<note> group(s, far, notes, "group", keys);
  const subscription_options with{.on = workers, .group = "group", .concurrency = 2};
  auto stays = group.join(with);
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  std::atomic<bool> over{false};
  std::thread changing([&] {
    std::mt19937 random(11);
    std::vector<subscription> members;
    while (!over) {
      if (members.size() < 4 && random() % 2 == 0) {
        members.push_back(group.join(with));
      } else if (!members.empty()) {
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(random() % members.size()));
      }
    }
  });
  for (int i = 0; i != 20'000; ++i) out.publish_with_key(keys);
  s.wait_for(group.index(), out.count());
  over = true;
  changing.join();
  s.judge();
}

/// Somebody stands still: what has no key goes to others, and of the keys only its lane waits.
void nothing_waits_behind_one(const subject& of, reporter& to) {
  scenario s(of, to);
  gate closed;
  watched seen;
  int others = 0;
  const auto stuck_or_not = [&](const note& got) {
    if (got.number == 1) return closed.pass();
    seen.change([&] { ++others; });
  };
  std::vector<subscription> members;
  for (int i = 0; i != 2; ++i) {
    members.push_back(s.at(far).subscribe(notes, {.on = dedicated, .group = "group"}, stuck_or_not));
  }
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (int i = 0; i != 500; ++i) out.publish();
  s.check(seen.wait([&] { return others == 499; }), "messages wait behind a member that stands still");
  closed.open();
  s.judge();
}

void keys_in_order(const subject& of, reporter& to) {
  scenario s(of, to);
  auto workers = s.at(far).pool("workers", {.threads = 4});
  group_reader<note> parallel(s, far, notes, "parallel", keys);
  std::map<std::string, std::atomic<int>> inside;
  for (std::uint64_t i = 0; i != keys; ++i) inside["key-" + std::to_string(i)] = 0;
  std::atomic<int> overlaps{0};
  auto recorded = parallel.join({.on = workers, .concurrency = 4});
  auto watched_too =
      s.at(far).subscribe(notes, {.on = workers, .concurrency = 4}, [&](const note&, const context& with) {
        std::atomic<int>& here = inside.at(std::string(with.key()));
        if (here.fetch_add(1) != 0) ++overlaps;
        std::this_thread::yield();
        here.fetch_sub(1);
      });
  writer<note> near_out(s, 0, notes, "near");
  writer<note> far_out(s, far, notes, "far");
  s.make_ready();
  for (int i = 0; i != 5'000; ++i) {
    near_out.publish_with_key(keys);
    far_out.publish_with_key(keys);
  }
  s.wait_for(parallel.index(), 10'000);
  s.check(s.eventually([&] { return watched_too.counters().handled == 10'000; }), "a lane stopped");
  s.check(overlaps == 0, std::to_string(overlaps) + " times one key was in two handlers at once");
  s.judge();
}

/// Through a second topic: what the handlers of a key publish keeps the key's order.
void keys_in_order_further_on(const subject& of, reporter& to) {
  scenario s(of, to);
  auto workers = s.at(far).pool("workers", {.threads = 3});
  auto forwarding = s.at(far).subscribe(
      notes, {.on = workers, .concurrency = 3},
      [&](const note& got, const context& with) { s.at(far).publish(replies, got, {.key = with.key()}); });
  std::map<std::uint64_t, std::uint64_t> last;
  std::uint64_t count = 0;
  std::uint64_t late = 0;
  watched seen;
  auto collecting = s.at(0).subscribe(replies, {.capacity = 64}, [&](const note& got) {
    seen.change([&] {
      std::uint64_t& before = last[got.number % keys];
      if (got.number < before) ++late;
      before = got.number;
      ++count;
    });
  });
  writer<note> out(s, 0, notes, "out");
  s.make_ready();
  for (int i = 0; i != 5'000; ++i) out.publish_with_key(keys);
  const bool all = seen.wait([&] { return count == 5'000; });  // before the text, which reads it too
  s.check(all, "only " + std::to_string(count) + " of 5,000 came through");
  s.check(late == 0, std::to_string(late) + " messages overtook others of their key");
  s.judge();
}

void spanning_group_is_refused(const subject& of, reporter& to) {
  scenario s(of, to);
  auto here = s.at(0).subscribe(notes, {.group = "packers"}, [](const note&) {});
  auto there = s.at(far).subscribe(notes, {.group = "packers"}, [](const note&) {});
  std::string why;
  try {
    s.make_ready();
  } catch (const error& refused) {
    why = refused.what();
  }
  s.check(why.find("AMB-E0309") != std::string::npos && why.find("packers") != std::string::npos,
          "a group with members in two processes is not refused by name: " + (why.empty() ? "it became ready" : why));
}

}  // namespace

case_list group_cases() {
  using enum case_scope;
  const std::vector<bool promise::*> needs{&promise::lossless_while_connected, &promise::free_of_duplicates,
                                           &promise::ready_means_joined};
  return {
      {"a group hands each message to one member", {"groups"}, needs, everywhere, one_member_each},
      {"members join and leave under load", {"groups", "keys"}, needs, everywhere, members_change},
      {"nothing waits behind a member that stands still", {"groups"}, needs, everywhere, nothing_waits_behind_one},
      {"keys keep their order on many threads", {"keys"}, needs, everywhere, keys_in_order},
      {"keys keep their order further on", {"keys"}, needs, everywhere, keys_in_order_further_on},
      {"a group of two processes is refused", {"groups"}, {}, between_processes, spanning_group_is_refused},
  };
}

}  // namespace amphibus::testing
