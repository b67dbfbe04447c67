// The cost of one publish in the publisher's thread; a loop handles what was published between the measurements.
#include <amphibus/bus.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <vector>

namespace {

struct small {
  std::array<std::uint64_t, 4> words;
};
constexpr amphibus::topic<small> topic{"bench.small"};
constexpr std::size_t batch = 4096;

struct fixture {
  amphibus::bus bus;
  amphibus::loop loop;
  std::vector<amphibus::subscription> subscriptions;
  std::uint64_t sum = 0;
  explicit fixture(std::int64_t subscribers) {
    for (std::int64_t i = 0; i != subscribers; ++i) {
      subscriptions.push_back(bus.subscribe(topic, {.on = loop}, [this](const small& m) { sum += m.words[0]; }));
    }
  }
  ~fixture() { subscriptions.clear(); }
};

template <class Publish>
void run(benchmark::State& state, fixture& in, Publish publish) {
  for (auto unused : state) {
    static_cast<void>(unused);
    for (std::size_t i = 0; i != batch; ++i) publish(small{{i, 1, 2, 3}});
    state.PauseTiming();
    in.loop.run_until_idle();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

void publisher_handle(benchmark::State& state) {
  fixture in(state.range(0));
  auto out = in.bus.publisher(topic);
  run(state, in, [&](const small& m) { benchmark::DoNotOptimize(out.publish(m)); });
}

void bus_publish(benchmark::State& state) {
  fixture in(state.range(0));
  run(state, in, [&](const small& m) { benchmark::DoNotOptimize(in.bus.publish(topic, m)); });
}

BENCHMARK(publisher_handle)->Arg(0)->Arg(1)->Arg(3);
BENCHMARK(bus_publish)->Arg(0)->Arg(1)->Arg(3);

}  // namespace
