// instructions WAY: publishes 100,000 messages that way, inside a function of its own that callgrind counts alone; see
// instructions.sh. A loop handles them in the same thread, so the count is the same on every machine.
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include <amphibus/bus.hpp>

#include "harness/shape.hpp"

namespace {

using small = bench::message<32>;
using page = bench::message<4096>;
constexpr amphibus::topic<small> smalls{"bench.small"};
constexpr amphibus::topic<page> pages{"bench.page"};
constexpr int messages = 100'000;
constexpr int handled_at_once = 1'000;

}  // namespace

// Outside of every namespace and inline for nobody: their names are what the toggle knows.
[[gnu::noinline]] void counted_publisher(amphibus::publisher<small>& out, amphibus::loop& loop) {
  for (int i = 0; i != messages; ++i) {
    out.publish({{static_cast<std::uint64_t>(i)}});
    if (i % handled_at_once == handled_at_once - 1) loop.run_until_idle();
  }
}
[[gnu::noinline]] void counted_bus(amphibus::bus& bus, amphibus::loop& loop) {
  for (int i = 0; i != messages; ++i) {
    bus.publish(smalls, {{static_cast<std::uint64_t>(i)}});
    if (i % handled_at_once == handled_at_once - 1) loop.run_until_idle();
  }
}
[[gnu::noinline]] void counted_page(amphibus::publisher<page>& out, const page& value, amphibus::loop& loop) {
  for (int i = 0; i != messages; ++i) {
    out.publish(value);
    if (i % handled_at_once == handled_at_once - 1) loop.run_until_idle();
  }
}

int main(int argc, char** argv) {
  const char* const way = argc > 1 ? argv[1] : "";
  amphibus::bus bus;
  amphibus::loop loop;
  std::uint64_t sum = 0;
  std::vector<amphibus::subscription> kept;
  const bool inside = std::strcmp(way, "inline") == 0;
  const int subscribers = std::strcmp(way, "publisher3") == 0 ? 3 : 1;
  for (int i = 0; i != subscribers; ++i) {
    const auto on = inside ? amphibus::executor_choice(amphibus::inline_) : amphibus::executor_choice(loop);
    kept.push_back(bus.subscribe(smalls, {.on = on}, [&sum](const small& m) { sum += m.words[0]; }));
  }
  kept.push_back(bus.subscribe(pages, {.on = loop}, [&sum](const page& m) { sum += m.words[0]; }));
  auto out = bus.publisher(smalls);
  auto large = bus.publisher(pages);
  const auto value = std::make_unique<page>();
  for (int i = 0; i != 2'000; ++i) {  // everything that is pooled exists then
    out.publish({});
    bus.publish(smalls, {});
    large.publish(*value);
    if (i % 100 == 99) loop.run_until_idle();
  }
  sum = 0;
  if (std::strcmp(way, "bus") == 0) {
    counted_bus(bus, loop);
  } else if (std::strcmp(way, "page") == 0) {
    counted_page(large, *value, loop);
  } else {
    counted_publisher(out, loop);
  }
  std::printf("%s: handled a sum of %llu\n", way, static_cast<unsigned long long>(sum));
  return 0;
}
