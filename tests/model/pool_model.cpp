// Who of a pool's threads runs what is ready (base/parker.hpp through the seam; the rest as pool_executor has it: the
// list of ready mailboxes and that of idle threads under one lock). Two threads; one from outside makes two mailboxes
// ready, one of which comes again by itself. Whatever the interleaving: every turn is run, once, and no thread sleeps
// while something is ready that nobody comes for (a deadlock here, which the checker finds).
//
// `pool_model planted` takes one thing away at a time, and each has to be caught.
#include "model/watched.hpp"

#include <amphibus/base/parker.hpp>

#include "model/planted.hpp"

namespace {

namespace base = amphibus::base;

enum class fault {
  none,
  no_second_look,  // a thread goes to sleep without looking whether something became ready meanwhile
  nobody_woken,    // who makes something ready wakes nobody
  one_is_stopped,  // the end wakes one thread only
};
fault planted = fault::none;

struct pool {
  static constexpr std::size_t threads = 2;
  base::mutex lock;
  std::vector<int> ready;
  std::vector<base::parker*> idle;
  bool stopping = false;
  base::parker parkers[threads];

  void enqueue(int which, bool from_outside) {
    base::parker* waking = nullptr;
    {
      const std::lock_guard locked(lock);
      ready.push_back(which);
      if (from_outside && !idle.empty()) waking = idle.back(), idle.pop_back();
    }
    if (waking != nullptr && planted != fault::nobody_woken) waking->unpark();
  }
  /// Returns: what to run; 0 at the end.
  int take(base::parker& self) {
    for (;;) {
      {
        const std::lock_guard locked(lock);
        if (!ready.empty()) {
          const int next = ready.front();
          ready.erase(ready.begin());
          return next;
        }
        if (stopping) return 0;
      }
      {
        const std::lock_guard locked(lock);
        if (planted != fault::no_second_look && (stopping || !ready.empty())) continue;
        idle.push_back(&self);
      }
      self.park();
      const std::lock_guard locked(lock);
      std::erase(idle, &self);
    }
  }
  void stop() {
    const std::lock_guard locked(lock);
    stopping = true;
    for (std::size_t i = 0; i != (planted == fault::one_is_stopped ? 1 : threads); ++i) parkers[i].unpark();
  }
};

struct scheduling : rl::test_suite<scheduling, pool::threads + 1> {
  static constexpr int turns = 3;  // of mailbox 1 two
  model::of_run<base::futex_bed> beds;
  model::of_run<pool> of;
  rl::atomic<int> run;
  rl::atomic<int> came_again;

  void before() {
    model::begin_run();
    base::bed = &beds.make();
    of.make();
    run.store(0, rl::mo_relaxed, $);
    came_again.store(0, rl::mo_relaxed, $);
  }
  void after() {
    RL_ASSERT(run.load(rl::mo_relaxed, $) == turns);
    of.end();
    beds.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index == pool::threads) return feed();
    while (const int next = of->take(of->parkers[index])) {
      if (next == 1 && came_again.exchange(1, rl::mo_relaxed, $) == 0) of->enqueue(1, false);  // as one with work left
      run.fetch_add(1, rl::mo_release, $);
    }
  }
  void feed() {
    of->enqueue(1, true);
    of->enqueue(2, true);
    while (run.load(rl::mo_acquire, $) != turns) rl::yield(1, $);
    of->stop();
  }
};

template <fault Which>
constexpr auto holds_with = &model::holds_with<scheduling, planted, Which>;

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {holds_with<fault::none>},
                    {{"a thread sleeps without a second look", holds_with<fault::no_second_look>},
                     {"who makes something ready wakes nobody", holds_with<fault::nobody_woken>},
                     {"the end wakes one thread only", holds_with<fault::one_is_stopped>}});
}
