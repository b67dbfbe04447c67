// The claims of a group's hand under every interleaving that the model checker tries: its owner claims while a thief
// takes from the back and the owner fills again. No slot may be handled twice or not at all, and nobody may read a
// slot that is being written.
//
// `claim_model planted` takes what the design rests on away, the thief's lock while it copies, and has to be caught.
#include "detail/claim_range.hpp"

#include "planted.hpp"  // last: its macros replace `delete` and the memory orders

namespace {

/// What claim_range asks of its atomic, told to the model checker.
class model_word {
 public:
  explicit model_word(std::uint64_t value) : word_(value) {}
  [[nodiscard]] std::uint64_t load(std::memory_order) const { return word_.load(rl::mo_relaxed, $); }
  void store(std::uint64_t value, std::memory_order) { word_.store(value, rl::mo_relaxed, $); }
  bool compare_exchange_weak(std::uint64_t& expected, std::uint64_t value, std::memory_order) {
    return word_.compare_exchange_weak(expected, value, rl::mo_relaxed, $);
  }

 private:
  rl::atomic<std::uint64_t> word_;
};

constexpr unsigned fills = 2;
constexpr unsigned places = 3;

template <bool Planted>
struct stealing : rl::test_suite<stealing<Planted>, 2> {
  amphibus::detail::claim_range<model_word> range;
  rl::mutex lock;
  rl::var<int> slots[places];
  rl::atomic<int> handled[fills * places];

  void before() {
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
      range.fill(places);
      lock.unlock($);
      for (auto run = range.claim(1); run.count != 0; run = range.claim(1)) handle(slots[run.first]($));
    }
  }
  void steal() {
    for (int attempt = 0; attempt != 2; ++attempt) {
      lock.lock($);
      const auto run = range.take_back(false);
      if constexpr (Planted) lock.unlock($);
      int taken[places];
      for (unsigned i = 0; i != run.count; ++i) taken[i] = slots[run.first + i]($);
      if constexpr (!Planted) lock.unlock($);
      for (unsigned i = 0; i != run.count; ++i) handle(taken[i]);
    }
  }
  void after() {
    // What the owner has left behind by its end was taken; nothing is in nobody's hands.
    RL_ASSERT(range.left() == 0);
    for (auto& each : handled) RL_ASSERT(each.load(rl::mo_relaxed, $) == 1);
  }
};

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {&model::holds<stealing<false>>},
                    {model::plant<stealing<true>>("a thief that copies without the lock")});
}
