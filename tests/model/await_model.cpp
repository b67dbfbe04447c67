// How a coroutine that waits in a receiver is woken, and destroyed by its owner (src/detail/pulled.cpp,
// src/detail/task_state.cpp), written out for the model checker with the portable barrier. A publisher publishes, two
// threads of a pool take turns with the receiver, an owner ends the coroutine at any time. Whatever the interleaving:
// it is never resumed after its end nor twice at once, and until its end no message waits for ever.
//
// `await_model planted` takes away one thing at a time, and each has to be caught.
#include "planted.hpp"

namespace {

enum class fault {
  none,
  does_not_enter,    // who found it waiting resumes it without asking its owner
  no_second_look,    // a thread lets the receiver go without looking once more
  no_fence,          // the publisher does not order its push before its look at the promise
  waits_silently,    // a wait tells no executor, as if one attended already
  forgets_the_told,  // a wait does not hand over what only a thread was told of
};

constexpr int messages = 2;

/// The receiver, its queue of turns with one pool, and its coroutine.
template <fault Planted, bool Ends>
struct awaiting : rl::test_suite<awaiting<Planted, Ends>, 4> {
  rl::atomic<int> pushed;
  rl::atomic<int> active;  // queue::inbox_base::active_
  rl::mutex run_lock;      // of the mailbox
  rl::var<int> taken;

  rl::mutex port;  // of pull_executor
  rl::var<bool> waits;
  rl::var<bool> attended;
  rl::var<bool> thread_was_told;  // of the promise that is there

  rl::mutex state;  // of task_state
  rl::condition_variable left;
  rl::var<bool> runs;
  rl::var<bool> over;
  rl::var<int> frame;  // 1: it lives; touched by who resumes it and by who destroys it

  rl::mutex turns_lock;  // of the pool
  rl::condition_variable turns_changed;
  rl::var<int> turns;
  rl::var<bool> finished;  // the test: everything was handled, or it ended

  void before() {
    pushed.store(0, rl::mo_relaxed, $);
    active.store(0, rl::mo_relaxed, $);
    taken($) = 0;
    waits($) = attended($) = Ends;  // then as after a first wait, and an executor that has let it go
    thread_was_told($) = runs($) = over($) = finished($) = false;
    frame($) = 1;
    turns($) = 0;
  }
  void thread(unsigned index) {
    if (index == 0) return publish();
    if (index == 1) return Ends ? end() : wait();
    run();
  }

  void enqueue() {
    turns_lock.lock($);
    turns($) = turns($) + 1;
    turns_changed.notify_one($);
    turns_lock.unlock($);
  }
  void finish() {
    turns_lock.lock($);
    finished($) = true;
    turns_changed.notify_all($);
    turns_lock.unlock($);
  }

  void announce() {
    if (Planted != fault::no_fence) rl::atomic_thread_fence(rl::mo_seq_cst, $);
    if (active.load(rl::mo_relaxed, $) != 0) return;
    if (active.exchange(1, rl::mo_acq_rel, $) != 0) return;
    port.lock($);
    const bool told = attended($);
    if (!told) thread_was_told($) = true;
    port.unlock($);
    if (told) enqueue();
  }
  void publish() {
    for (int i = 0; i != messages; ++i) {
      pushed.store(i + 1, rl::mo_release, $);
      announce();
    }
  }

  /// The owner's end of it.
  void end() {
    state.lock($);
    over($) = true;
    while (runs($)) left.wait(state, $);
    state.unlock($);
    port.lock($);
    waits($) = false;  // withdraw()
    port.unlock($);
    frame($) = 0;
    finish();
  }
  /// The coroutine waits: for the first time on another thread, then where it was resumed.
  void wait() {
    port.lock($);
    waits($) = true;
    const bool begins = !attended($);
    attended($) = true;
    bool tells = false;
    if (begins) {
      const bool told = thread_was_told($) && Planted != fault::forgets_the_told;
      thread_was_told($) = false;
      tells = active.exchange(1, rl::mo_acq_rel, $) == 0 || told;
    }
    port.unlock($);
    if (Planted == fault::waits_silently && begins) return;
    tells ? enqueue() : announce();
  }

  void run() {
    for (;;) {
      turns_lock.lock($);
      while (turns($) == 0 && !finished($)) turns_changed.wait(turns_lock, $);
      const bool ends = finished($);
      if (!ends) turns($) = turns($) - 1;
      turns_lock.unlock($);
      if (ends) return;
      run_lock.lock($);
      const bool handled = resume();
      run_lock.unlock($);
      handled ? enqueue() : let_go();
    }
  }
  bool resume() {
    port.lock($);
    const bool somebody = waits($) && pushed.load(rl::mo_acquire, $) != taken($);
    if (somebody) waits($) = false;
    port.unlock($);
    if (!somebody) return false;
    if (Planted != fault::does_not_enter && !enter()) return true;
    go_on();
    leave();
    return true;
  }
  bool enter() {
    state.lock($);
    while (runs($)) left.wait(state, $);
    const bool goes_on = !over($);
    runs($) = goes_on;
    state.unlock($);
    return goes_on;
  }
  void leave() {
    state.lock($);
    runs($) = false;
    left.notify_all($);
    state.unlock($);
  }
  /// The coroutine: takes one message and waits again.
  void go_on() {
    RL_ASSERT(frame($) == 1);
    taken($) = taken($) + 1;
    const bool all = taken($) == messages;
    wait();
    if (all && !Ends) finish();
  }
  void let_go() {
    active.store(0, rl::mo_relaxed, $);
    if (Planted == fault::no_second_look) return;
    rl::atomic_thread_fence(rl::mo_seq_cst, $);
    port.lock($);
    const bool somebody = waits($);
    if (!somebody) attended($) = false;
    port.unlock($);
    if (!somebody || pushed.load(rl::mo_acquire, $) == seen()) return;
    if (active.exchange(1, rl::mo_acq_rel, $) == 0) enqueue();
  }
  int seen() {
    run_lock.lock($);
    const int out = taken($);
    run_lock.unlock($);
    return out;
  }
};

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv,
                    {&model::holds<awaiting<fault::none, false>>, &model::holds<awaiting<fault::none, true>>},
                    {model::plant<awaiting<fault::does_not_enter, true>>("who resumes it does not ask its owner"),
                     model::plant<awaiting<fault::no_second_look, false>>("a thread lets go without a second look"),
                     model::plant<awaiting<fault::no_fence, false>>("a publisher without its barrier"),
                     model::plant<awaiting<fault::waits_silently, false>>("a wait that tells no executor"),
                     model::plant<awaiting<fault::forgets_the_told, false>>("a wait after a thread alone was told")});
}
