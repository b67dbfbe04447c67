// The claims of a group's hand (src/detail/claim_range.hpp), through the seam, under every interleaving that the model
// checker tries: its owner claims while a thief takes from the back and the owner fills again. No slot may be handled
// twice or not at all, and nobody may read a slot that is being written.
//
// `claim_model planted` takes what the design rests on away, the thief's lock while it copies, and has to be caught.
#include "model/watched.hpp"

#include "detail/claim_range.hpp"

#include "model/planted.hpp"

namespace {

constexpr unsigned fills = 2;
constexpr unsigned places = 3;

template <bool Planted>
struct stealing : rl::test_suite<stealing<Planted>, 2> {
  model::of_run<amphibus::detail::claim_range> range;
  rl::mutex lock;
  rl::var<int> slots[places];
  rl::atomic<int> handled[fills * places];

  void before() {
    model::begin_run();
    range.make();
    for (auto& each : slots) each($) = 0;
    for (auto& each : handled) each.store(0, rl::mo_relaxed, $);
  }
  void handle(int message) {
    RL_ASSERT(handled[message].fetch_add(1, rl::mo_relaxed, $) == 0);  // never twice
  }
  void thread(unsigned index) { index == 0 ? own() : steal(); }

  void own() {
    for (unsigned fill = 0; fill != fills; ++fill) {
      lock.lock($);
      for (unsigned i = 0; i != places; ++i) slots[i]($) = static_cast<int>(fill * places + i);
      range->fill(places);
      lock.unlock($);
      for (auto run = range->claim(1); run.count != 0; run = range->claim(1)) handle(slots[run.first]($));
    }
  }
  void steal() {
    for (int attempt = 0; attempt != 2; ++attempt) {
      lock.lock($);
      const auto run = range->take_back(false);
      if constexpr (Planted) lock.unlock($);
      int taken[places];
      for (unsigned i = 0; i != run.count; ++i) taken[i] = slots[run.first + i]($);
      if constexpr (!Planted) lock.unlock($);
      for (unsigned i = 0; i != run.count; ++i) handle(taken[i]);
    }
  }
  void after() {
    // What the owner has left behind by its end was taken; nothing is in nobody's hands.
    RL_ASSERT(range->left() == 0);
    for (auto& each : handled) RL_ASSERT(each.load(rl::mo_relaxed, $) == 1);
    range.end();
    model::end_run();
  }
};

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {&model::holds<stealing<false>>},
                    {model::plant<stealing<true>>("a thief that copies without the lock")});
}
