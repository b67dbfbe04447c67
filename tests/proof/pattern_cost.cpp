// pattern_cost N: publishes while N patterns that do not cover the topic are subscribed. Run under callgrind with
// --toggle-collect=publish_many, it counts what publishing costs.
#include <amphibus/bus.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

struct tick {
  int value;
};
constexpr amphibus::topic<tick> ticks{"bench.ticks"};
constexpr int messages = 100'000;

}  // namespace

// Its own symbol for the toggle.
extern "C" [[gnu::noinline]] int publish_many(amphibus::publisher<tick>& out, amphibus::loop& here) {
  int accepted = 0;
  for (int i = 0; i != messages; ++i) {
    accepted += out.publish({i}) == amphibus::publish_status::accepted ? 1 : 0;
    if (i % 1'000 == 999) here.run_until_idle();
  }
  return accepted;
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1;
  amphibus::bus bus;
  amphibus::loop here;
  std::vector<amphibus::subscription> kept;
  for (int i = 0; i != count; ++i) {
    const auto pattern = amphibus::pattern<tick>::parse("other.p" + std::to_string(i) + ".*").value();
    kept.push_back(bus.subscribe(pattern, {.on = here}, [](const tick&) {}));
  }
  int handled = 0;
  kept.push_back(bus.subscribe(ticks, {.on = here}, [&](const tick&) { ++handled; }));
  auto out = bus.publisher(ticks);
  const int accepted = publish_many(out, here);
  std::printf("%d patterns: accepted %d, handled %d\n", count, accepted, handled);
  return accepted == messages && handled == messages ? 0 : 1;
}
