// The memory of a bus (amphibus/queue/byte_budget.hpp): shares that publishers take in advance, their reclaim through
// gates, and waking by need, through the seam, with the portable barrier. Two bytes, since a message counts for at most
// half, of which one is never given back; a publisher that holds the other one and may use it late, another publisher,
// and who is done with messages. Whatever the interleaving: nobody sleeps for ever, no byte is
// taken twice, and at the end all are back.
//
// `budget_model planted` takes one thing away at a time, and each has to be caught.
#include "model/watched.hpp"

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/parker.hpp>
#include <amphibus/queue/byte_budget.hpp>

#include "model/planted.hpp"

namespace {

namespace base = amphibus::base;
namespace queue = amphibus::queue;

constexpr int capacity = 2;
constexpr int publishers = 2;
constexpr int each = 2;  // messages of a publisher, of a byte

enum class fault {
  none,
  no_reclaim,         // who is refused waits without asking idle publishers
  no_second_reclaim,  // who waits does not ask them once more when it is listed
  no_gate,            // a publisher does not tell that it is at its share
};
fault planted = fault::none;

class parked final : public queue::space_listener {
 public:
  void space_available() noexcept override { parker.unpark(); }
  base::parker parker;
};

struct publishing {
  queue::gate gate;
  queue::budget_share share{gate};
  parked bed;
};

struct spending : rl::test_suite<spending, publishers + 1> {
  model::of_run<queue::byte_budget> budget;
  model::of_run<publishing> one;
  model::of_run<publishing> other;
  model::of_run<base::futex_bed> beds;
  rl::atomic<int> sent;
  rl::atomic<int> in_use;

  void before() {
    model::begin_run();
    base::bed = &beds.make();
    budget.make(capacity);
    one.make();
    other.make();
    sent.store(0, rl::mo_relaxed, $);
    in_use.store(0, rl::mo_relaxed, $);
    RL_ASSERT(budget->reserve(one->share, 1));
    budget->spend(one->share, 1);
    RL_ASSERT(budget->reserve(one->share, 1));
  }
  void after() {
    budget->give_back(1);
    budget->part(one->share);
    budget->part(other->share);
    RL_ASSERT(budget->credit().available() == capacity);
    one.end();
    other.end();
    budget.end();
    beds.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index == publishers) return consume();
    publishing& by = index == 0 ? *one : *other;
    for (int i = 0; i != each; ++i) publish(by);
    if (index != 0) return;
    by.gate.enter_waiting();  // takes a byte that is free, and never uses it
    static_cast<void>(budget->reserve(by.share, 1));
    by.gate.leave();
  }

  void publish(publishing& by) {
    for (;;) {
      if (planted != fault::no_gate) by.gate.enter_waiting();
      const bool fits = budget->reserve(by.share, 1);
      if (fits) {
        budget->spend(by.share, 1);
        RL_ASSERT(in_use.fetch_add(1, rl::mo_relaxed, $) == 0);
        sent.fetch_add(1, rl::mo_release, $);
      }
      if (planted != fault::no_gate) by.gate.leave();
      if (fits) return;
      if (planted != fault::no_reclaim && budget->reclaim_idle_credit()) continue;
      const bool asks_once = planted == fault::no_reclaim || planted == fault::no_second_reclaim;
      if (asks_once ? budget->credit().listen(by.bed, 1) : budget->listen(by.bed, 1)) by.bed.parker.park();
      budget->credit().forget(by.bed);
    }
  }
  void consume() {
    for (int seen = 0; seen != publishers * each;) {
      if (sent.load(rl::mo_acquire, $) == seen) {
        rl::yield(1, $);
        continue;
      }
      ++seen;
      in_use.fetch_sub(1, rl::mo_relaxed, $);
      budget->give_back(1);
    }
  }
};

template <fault Which>
constexpr auto holds_with = &model::holds_with<spending, planted, Which>;
constexpr model::weakening weakenings[] = {{"give_back", std::memory_order_seq_cst},
                                           {"enter", std::memory_order_seq_cst},
                                           {"wait_outside", std::memory_order_acquire}};
template <int Which>
constexpr auto holds_weakened = &model::holds_with_one_of<spending, model::planted_weakening, weakenings, Which>;

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {holds_with<fault::none>},
                    {{"who is refused does not ask idle publishers", holds_with<fault::no_reclaim>},
                     {"who waits does not ask idle publishers once more", holds_with<fault::no_second_reclaim>},
                     {"a publisher is at its share outside of its gate", holds_with<fault::no_gate>},
                     {"what is given back is not ordered before the look who waits", holds_weakened<0>},
                     {"the publisher's fence between its entry and its look at the gate is missing", holds_weakened<1>},
                     {"who waits does not see what somebody took who was inside its gate", holds_weakened<2>}});
}
