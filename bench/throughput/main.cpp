// amphibus_bench [--quick] [--json FILE] [--only PREFIX]: throughput beside rivals, in the same run, in interleaved
// pairs.
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include <amphibus/bus.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>

#include "allocations.hpp"
#include "idle.hpp"
#include "inproc.hpp"
#include "processes.hpp"
#include "report.hpp"

namespace {

constexpr const char* usage =
    "usage: amphibus_bench [--quick] [--json FILE] [--only PREFIX]\n"
    "  --quick   fewer messages and pairs\n"
    "  --json    also write the figures to FILE\n"
    "  --only    only what begins so, e.g. inproc, zeromq/tcp, local/3\n";

struct options {
  bool quick = false;
  std::string json;
  std::string only;
};

/// `--only` names the beginning of what to run, e.g. "zeromq" or "local/3".
bool wanted(const options& chosen, const std::string& name) { return name.starts_with(chosen.only); }

constexpr amphibus::topic<bench::message_32> counted_small{"bench.counted.small"};
constexpr amphibus::topic<bench::message_4k> counted_large{"bench.counted.large"};

constexpr amphibus::topic<bench::message_32> counted_retained{"bench.counted.retained", amphibus::retain::history(10)};

/// Allocations per message once the inboxes have been full: everything that is pooled exists then. `read(bus, topic,
/// options)` is kept while they are counted.
template <class T, class Read>
double allocations_per_message(const amphibus::topic<T>& topic, const Read& read) {
  amphibus::bus bus;
  amphibus::loop loop;
  const auto one = read(bus, topic, amphibus::subscription_options{.capacity = 512, .on = loop});
  const auto two = read(bus, topic, amphibus::subscription_options{.capacity = 512, .on = loop});
  auto out = bus.publisher(topic);
  for (int round = 0; round != 4; ++round) {
    while (out.try_publish(T{}) == amphibus::publish_status::accepted) {
    }
    loop.run_until_idle();
  }
  const std::uint64_t before = bench::allocations();
  constexpr std::size_t measured = 100'000;
  for (std::size_t i = 0; i != measured; ++i) {
    out.publish(T{{i}});
    if (i % 256 == 255) loop.run_until_idle();
  }
  return static_cast<double>(bench::allocations() - before) / static_cast<double>(measured);
}

std::uint64_t read_sum = 0;

template <class T>
amphibus::subscription subscribe_to(amphibus::bus& bus, const amphibus::topic<T>& topic,
                                    const amphibus::subscription_options& with) {
  return bus.subscribe(topic, with, [](const T& m) { read_sum += m.words[0]; });
}

template <class T, bool Limited>
amphibus::task await_all(amphibus::receiver<T> in) {
  while (const auto next = co_await in.next(Limited ? std::chrono::hours(1) : amphibus::base::duration::max())) {
    read_sum += (*next)->words[0];
  }
}
template <class T, bool Limited>
amphibus::task await_from(amphibus::bus& bus, const amphibus::topic<T>& topic,
                          const amphibus::subscription_options& with) {
  return await_all<T, Limited>(bus.receiver(topic, with));
}

double idle_bus() {
  amphibus::bus bus;
  std::vector<amphibus::subscription> subscriptions;
  for (int i = 0; i != 100; ++i) {
    subscriptions.push_back(bus.subscribe(counted_small, [](const bench::message_32&) {}));
  }
  bus.publish(counted_small, {});
  bus.drain();
  return bench::context_switches_per_second(3);
}

void run_rows(const options& chosen, bench::report& into) {
  const int pairs = chosen.quick ? 5 : 11;
  const std::size_t many = chosen.quick ? 10'000'000 : 40'000'000;
  const auto add = [&](const char* name, const char* rival, int times, const auto& ours, const auto& theirs) {
    if (!wanted(chosen, name)) return;
    into.rows.push_back(bench::compare(name, rival, times, ours, theirs));
    bench::print(into.rows.back());
  };
  for (const auto& [name, publishers, subscribers] :
       {std::tuple("inproc/1p1c/32B", 1, 1), std::tuple("inproc/2p1c/32B", 2, 1),
        std::tuple("inproc/1p3c/32B", 1, 3)}) {
    const std::size_t count = many / static_cast<std::size_t>(publishers * subscribers);
    add(
        name, "moodycamel/token_bulk", pairs,
        [&, p = publishers, s = subscribers] { return bench::ours_32(count, p, s); },
        [&, p = publishers, s = subscribers] { return bench::moodycamel_32(count, p, s); });
  }
  add(
      "inproc/1p3c/4KiB", "make_shared+moodycamel", pairs, [&] { return bench::ours_4k(many / 40, 3); },
      [&] { return bench::moodycamel_shared_4k(many / 40, 3); });
  for (const std::string transport : {"tcp", "ipc"}) {
    const std::size_t ours = chosen.quick ? 10'000'000 : 30'000'000;
    add(("zeromq/" + transport + "/32B").c_str(), ("libzmq/" + transport + "/one_per_frame").c_str(),
        chosen.quick ? 5 : 9, [&] { return bench::ours_zeromq(transport, ours); },
        [&] { return bench::raw_libzmq(transport, ours / 5); });
  }
}

void run_checks(const options& chosen, bench::report& into) {
  const auto add = [&](const char* name, const char* unit, double limit, bool at_least, const auto& measure) {
    if (!wanted(chosen, name)) return;
    into.checks.push_back({name, measure(), limit, at_least, unit});
    bench::print(into.checks.back());
  };
  const double seconds = chosen.quick ? 2 : 5;
  add("allocations/32B, two subscribers", "per message", 0, false,
      [] { return allocations_per_message(counted_small, subscribe_to<bench::message_32>); });
  add("allocations/4KiB, two subscribers", "per message", 0, false,
      [] { return allocations_per_message(counted_large, subscribe_to<bench::message_4k>); });
  add("allocations/32B, two subscribers, retained", "per message", 0, false,
      [] { return allocations_per_message(counted_retained, subscribe_to<bench::message_32>); });
  add("allocations/32B, two coroutines", "per message", 0, false,
      [] { return allocations_per_message(counted_small, await_from<bench::message_32, false>); });
  add("allocations/32B, two coroutines with a limit", "per message", 0, false,
      [] { return allocations_per_message(counted_small, await_from<bench::message_32, true>); });
  add("idle/100 subscriptions", "context switches/s", 1, false, [] { return idle_bus(); });
  add("idle/connected to one peer", "context switches/s", 2, false, [] { return bench::connected_idle(12); });
  for (const int remote : {0, 3}) {
    const std::string name = "local/" + std::to_string(remote) + " remote" + (remote == 3 ? ", one stopped" : "");
    if (!wanted(chosen, name)) continue;
    const auto result = bench::paced(remote, false, seconds);
    add((name + ": rate of 100,000").c_str(), "of paced", 0.95, true, [&] { return result.rate / 100'000; });
    add((name + ": lost locally").c_str(), "messages", 0, false, [&] { return result.lost_locally; });
    add((name + ": refused").c_str(), "messages", 0, false, [&] { return result.refused; });
    add((name + ": publisher CPU, reported").c_str(), "ns per message", 1e9, false,
        [&] { return result.cpu_ns_per_message; });
  }
  if (wanted(chosen, "local/flat out")) {
    const double alone = bench::paced(0, true, seconds).rate;
    const double with = bench::paced(3, true, seconds).rate;
    add("local/flat out with 3 remote, reported", "of without", 0, true, [&] { return alone > 0 ? with / alone : 0; });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && argv[1][0] != '-') return bench::play_role(argc, argv);
  options chosen;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      chosen.quick = true;
    } else if (word == "--json" && i + 1 < argc) {
      chosen.json = argv[++i];
    } else if (word == "--only" && i + 1 < argc) {
      chosen.only = argv[++i];
    } else if (word == "--help") {
      std::fputs(usage, stdout);
      return 0;
    } else {
      std::fprintf(stderr, "amphibus_bench: '%s' is unknown or lacks its value\n%s", word.c_str(), usage);
      return 2;
    }
  }
  bench::report all;
  run_rows(chosen, all);
  run_checks(chosen, all);
  if (!chosen.json.empty() && !bench::write_json(all, chosen.json)) {
    std::fprintf(stderr, "amphibus_bench: cannot write %s\n", chosen.json.c_str());
    return 2;
  }
  bool ok = true;
  for (const auto& each : all.checks) ok = ok && each.ok();
  return ok ? 0 : 1;
}
