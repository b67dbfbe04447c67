// How hands of a group rest and are woken (src/detail/group_core.cpp), written out for the model checker with the
// portable barrier, a seq_cst fence on both sides; what membarrier does no model sees. A publisher publishes two
// messages; the handler of the first ends only when the second is handled, so that the second must reach the other
// hand however the hands and the publisher interleave. A message that waits while a hand rests is a deadlock here,
// which the checker finds.
//
// `rest_model planted` takes away one thing at a time, and each has to be caught.
#include "planted.hpp"

namespace {

enum class fault {
  none,
  no_second_look,   // a hand rests without looking once more
  promises_inside,  // a hand goes into a handler, and the inbox still promises that somebody looks
  no_fence,         // the publisher does not order its push before its look at the promise
};

/// Sleeps until it is woken; remembers a wake-up that comes before.
class parker {
 public:
  void park() {
    mutex_.lock($);
    while (!set_($)) changed_.wait(mutex_, $);
    set_($) = false;
    mutex_.unlock($);
  }
  void unpark() {
    mutex_.lock($);
    set_($) = true;
    changed_.notify_all($);
    mutex_.unlock($);
  }
  void reset() { set_($) = false; }

 private:
  rl::mutex mutex_;
  rl::condition_variable changed_;
  rl::var<bool> set_;
};

constexpr int messages = 2;
constexpr int hands = 2;
constexpr int nobody = -1;

template <fault Planted>
struct resting : rl::test_suite<resting<Planted>, 1 + hands> {
  rl::atomic<int> pushed;
  rl::atomic<int> promised;  // queue::inbox_base::active_
  rl::mutex consumer;
  rl::var<int> taken;
  rl::mutex lock;
  rl::var<int> waiting;  // sorted and not begun
  rl::var<int> begun;
  rl::var<bool> rests[hands];
  rl::atomic<int> done;
  parker sleeping[hands];
  parker second_done;

  void before() {
    pushed.store(0, rl::mo_relaxed, $);
    promised.store(0, rl::mo_relaxed, $);
    done.store(0, rl::mo_relaxed, $);
    taken($) = waiting($) = begun($) = 0;
    for (auto& each : rests) each($) = false;
    for (auto& each : sleeping) each.reset();
    second_done.reset();
  }
  void thread(unsigned index) { index == 0 ? publish() : run(static_cast<int>(index) - 1); }

  void publish() {
    for (int i = 0; i != messages; ++i) {
      pushed.store(i + 1, rl::mo_release, $);
      if (Planted != fault::no_fence) rl::atomic_thread_fence(rl::mo_seq_cst, $);
      if (promised.load(rl::mo_relaxed, $) != 0) continue;
      if (promised.exchange(1, rl::mo_acq_rel, $) != 0) continue;
      lock.lock($);
      wake(1);
      lock.unlock($);
    }
  }

  void wake(int count) {
    for (int i = 0; i != hands && count != 0; ++i) {
      if (!rests[i]($)) continue;
      rests[i]($) = false;
      sleeping[i].unpark();
      --count;
    }
  }
  bool sort(int taker) {
    consumer.lock($);
    const int fresh = pushed.load(rl::mo_acquire, $) - taken($);
    if (fresh != 0) {
      taken($) = taken($) + fresh;
      lock.lock($);
      if (taker != nobody) rests[taker]($) = false;
      waiting($) = waiting($) + fresh;
      wake(waiting($) - (taker == nobody ? 0 : 1));
      lock.unlock($);
    }
    consumer.unlock($);
    return fresh != 0;
  }
  bool look_behind(int taker) {
    promised.store(0, rl::mo_relaxed, $);
    rl::atomic_thread_fence(rl::mo_seq_cst, $);
    return sort(taker);
  }

  void run(int self) {
    while (done.load(rl::mo_acquire, $) != messages) {
      if (!take(self) && !sort(self)) rest(self);
    }
  }
  bool take(int self) {
    lock.lock($);
    if (waiting($) == 0) return lock.unlock($), false;
    waiting($) = waiting($) - 1;
    const int message = begun($);
    begun($) = message + 1;
    const bool others_rest = rests[1 - self]($);
    lock.unlock($);
    if (Planted != fault::promises_inside && others_rest && promised.load(rl::mo_relaxed, $) != 0) look_behind(nobody);
    handle(message);
    return true;
  }
  void handle(int message) {
    message == 0 ? second_done.park() : second_done.unpark();
    if (done.fetch_add(1, rl::mo_acq_rel, $) + 1 != messages) return;
    for (auto& each : sleeping) each.unpark();  // the test is over
  }
  void rest(int self) {
    lock.lock($);
    const bool work = waiting($) != 0;
    if (!work) rests[self]($) = true;
    lock.unlock($);
    if (work) return;
    if (Planted == fault::no_second_look) {
      promised.store(0, rl::mo_relaxed, $);
    } else if (look_behind(self)) {
      return;
    }
    sleeping[self].park();
  }
};

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {&model::holds<resting<fault::none>>},
                    {model::plant<resting<fault::no_second_look>>("a hand rests without a second look"),
                     model::plant<resting<fault::promises_inside>>("a hand in a handler still promises to look"),
                     model::plant<resting<fault::no_fence>>("a publisher without its barrier")});
}
