// Push and pop of one inbox in one thread: the cost without any hand-over between cores.
#include <amphibus/queue/inbox.hpp>

#include <benchmark/benchmark.h>

#include <array>

namespace {

template <std::size_t Size>
struct payload {
  std::array<unsigned char, Size> bytes{};
};

template <class Slot>
class quiet_inbox final : public amphibus::queue::inbox<Slot> {
 public:
  using amphibus::queue::inbox<Slot>::inbox;

 protected:
  void activated() noexcept override {}
};

template <std::size_t Size>
void push_and_pop(benchmark::State& state) {
  using slot = payload<Size>;
  constexpr std::size_t batch = 256;
  const auto box = std::make_shared<quiet_inbox<slot>>(8192, amphibus::queue::overflow_rule{});
  amphibus::queue::gate gate;
  amphibus::queue::sender<slot> sender(gate, box);
  std::array<slot, batch> out;
  for (auto unused : state) {
    static_cast<void>(unused);
    for (std::size_t i = 0; i != batch; ++i) {
      if (sender.has_room()) sender.push(slot{});
      box->announce();
    }
    box->finish(amphibus::queue::load::of_small(box->pop(out.data(), batch)));
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

BENCHMARK_TEMPLATE(push_and_pop, 8);
BENCHMARK_TEMPLATE(push_and_pop, 40);
BENCHMARK_TEMPLATE(push_and_pop, 56);

}  // namespace
