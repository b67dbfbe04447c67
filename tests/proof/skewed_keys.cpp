// How close a subscription with `.concurrency = 2` comes to the best that two threads can do with a skewed load of
// keys.
//
// The load is fixed before: keys by Zipf's law, each message the same work. The best possible: no schedule of two
// threads ends before half of all work is done, nor before the hottest key is, whose messages follow one another. So
// two bare threads run that: one the hottest key alone where it is more than half of the load, else each half. Both run
// in turn, and the figure is the median of their ratios. Messages are published before the clock starts, so that the
// publisher takes no core away. With handlers of a microsecond the cost of a message itself shows: printed, and not
// judged. Argument: pairs (11).
#include <amphibus/bus.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace amphibus;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t keys = 1'000;
constexpr std::size_t messages = 20'000;
constexpr double ratio_min = 0.9;

struct task {
  std::uint32_t key;
  std::uint32_t turns;
};
constexpr topic<task, &task::key> tasks{"proof.tasks"};

std::atomic<std::uint64_t> sink{0};

/// The work of one message: nothing that a compiler can take out, or that touches memory. Not inlined, so that both run
/// the very same instructions.
[[gnu::noinline]] void work(std::uint32_t turns) {
  std::uint64_t bits = turns;
  for (std::uint32_t i = 0; i != turns; ++i) bits = bits * 0x9e3779b97f4a7c15ULL + 1;
  if (bits == 0) sink.fetch_add(1, std::memory_order_relaxed);
}

/// So many turns take about a microsecond here.
double turns_per_microsecond() {
  constexpr std::uint32_t turns = 20'000'000;
  const auto begin = clock_type::now();
  work(turns);
  return turns / std::chrono::duration<double, std::micro>(clock_type::now() - begin).count();
}

std::vector<task> make_load(double exponent, std::uint32_t turns) {
  std::vector<double> weights;
  for (std::size_t key = 0; key != keys; ++key) weights.push_back(1 / std::pow(static_cast<double>(key + 1), exponent));
  std::discrete_distribution<std::uint32_t> pick(weights.begin(), weights.end());
  std::mt19937 random(3);
  std::vector<task> out;
  for (std::size_t i = 0; i != messages; ++i) out.push_back({pick(random), turns});
  return out;
}

std::size_t hottest_of(const std::vector<task>& load) {
  std::array<std::size_t, keys> counts{};
  for (const task& each : load) ++counts[each.key];
  return *std::max_element(counts.begin(), counts.end());
}

double best_seconds(const std::vector<task>& load) {
  const std::size_t longer = std::max(load.size() / 2, hottest_of(load));
  const auto run = [&](std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) work(load[i].turns);
  };
  const auto begin = clock_type::now();
  std::thread other(run, load.size() - longer);
  run(longer);
  other.join();
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

/// Runs the load through our lanes. Returns: seconds, from when the handlers may begin until all is handled.
template <class Handler>
double our_seconds(const std::vector<task>& load, Handler handler) {
  bus b;
  auto workers = b.pool("workers", {.threads = 2});
  std::atomic<bool> open{false};
  auto sub = b.subscribe(tasks, {.capacity = 2 * messages, .on = workers, .concurrency = 2}, [&](const task& t) {
    open.wait(false, std::memory_order_acquire);
    handler(t);
  });
  auto out = b.publisher(tasks);
  for (const task& each : load) out.publish(each);
  const auto begin = clock_type::now();
  open = true;
  open.notify_all();
  const bool complete = b.drain(std::chrono::seconds(60)).complete();
  const double seconds = std::chrono::duration<double>(clock_type::now() - begin).count();
  if (!complete) std::puts("FALLS SHORT: the drain is not complete");
  return complete ? seconds : 1e9;
}

/// How many messages begin while another of their key is handled; not timed.
std::uint64_t overlaps_of(const std::vector<task>& load) {
  std::vector<std::atomic<std::uint32_t>> inside(keys);
  std::atomic<std::uint64_t> overlapped{0};
  our_seconds(load, [&](const task& t) {
    if (inside[t.key].fetch_add(1, std::memory_order_relaxed) != 0) ++overlapped;
    work(t.turns);
    inside[t.key].fetch_sub(1, std::memory_order_relaxed);
  });
  return overlapped;
}

}  // namespace

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::atoi(argv[1]) : 11;
  const double per_microsecond = turns_per_microsecond();
  bool good = true;
  std::printf("%zu messages, %zu keys by Zipf's law, 2 threads; best possible = max(all / 2, hottest key)\n", messages,
              keys);
  for (const double exponent : {0.8, 1.0, 1.5, 2.0}) {
    for (const double microseconds : {1.0, 5.0, 20.0}) {
      const auto load = make_load(exponent, static_cast<std::uint32_t>(microseconds * per_microsecond));
      std::vector<double> ratios;
      for (int i = 0; i != pairs; ++i) {
        ratios.push_back(best_seconds(load) / our_seconds(load, [](const task& t) { work(t.turns); }));
      }
      const std::uint64_t overlaps = overlaps_of(load);
      std::sort(ratios.begin(), ratios.end());
      const double median = ratios[ratios.size() / 2];
      const bool judged = microseconds > 1;
      const bool reached = (median >= ratio_min || !judged) && overlaps == 0;
      good = good && reached;
      std::printf(
          "exponent %.1f, hottest key %4.1f %%, %.0f us each: %.2f of the best (%.2f to %.2f), in two handlers "
          "%llu%s\n",
          exponent, 100.0 * static_cast<double>(hottest_of(load)) / messages, microseconds, median, ratios.front(),
          ratios.back(), static_cast<unsigned long long>(overlaps), reached ? "" : "  FALLS SHORT");
    }
  }
  return good ? 0 : 1;
}
