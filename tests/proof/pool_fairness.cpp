// 100 subscriptions on a pool of 2 threads: no handler of one subscription overlaps, every message keeps its order, and
// none starves. Prints the longest time that a message waited for its handler.
#include <amphibus/bus.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

struct stamp {
  clock_type::time_point sent;
  int number;
};
constexpr amphibus::topic<stamp> stamps{"bench.stamps"};
constexpr int subscriptions = 100;
constexpr int messages = 2'000;

struct seat {
  std::atomic<int> inside{0};
  int next = 0;
  bool overlapped = false;
  bool reordered = false;
  clock_type::duration longest{};

  void handle(const stamp& one) {
    overlapped = inside.fetch_add(1) != 0 || overlapped;
    reordered = one.number != next++ || reordered;
    longest = std::max(longest, clock_type::now() - one.sent);
    inside.fetch_sub(1);
  }
};

}  // namespace

int main() {
  amphibus::bus bus;
  const auto workers = bus.pool("workers", {.threads = 2});
  std::vector<std::unique_ptr<seat>> seats;
  std::vector<amphibus::subscription> kept;
  for (int i = 0; i != subscriptions; ++i) {
    seats.push_back(std::make_unique<seat>());
    kept.push_back(bus.subscribe(stamps, {.name = "seat " + std::to_string(i), .on = workers},
                                 [&own = *seats.back()](const stamp& one) { own.handle(one); }));
  }
  auto out = bus.publisher(stamps);
  for (int i = 0; i != messages; ++i) out.publish({clock_type::now(), i});
  const bool drained = bus.drain(std::chrono::seconds(60)).complete();
  int overlapped = 0;
  int reordered = 0;
  int starved = 0;
  clock_type::duration longest{};
  for (const auto& each : seats) {
    overlapped += each->overlapped ? 1 : 0;
    reordered += each->reordered ? 1 : 0;
    starved += each->next == messages ? 0 : 1;
    longest = std::max(longest, each->longest);
  }
  std::printf("%d subscriptions on 2 threads, %d messages each: ", subscriptions, messages);
  std::printf("overlapped %d, reordered %d, starved %d, longest wait %.1f ms\n", overlapped, reordered, starved,
              std::chrono::duration<double, std::milli>(longest).count());
  return drained && overlapped + reordered + starved == 0 ? 0 : 1;
}
