// How the end of an inline subscription waits for the calls of publishers, and how a publisher's table goes
// (amphibus/detail/inline_calls.hpp, src/detail/call_waiters.hpp, src/detail/inline_subscriber.cpp), written out for
// the model checker with the portable barrier. Two publishers call, one of them through a table that is let go
// meanwhile; an owner ends the subscription from outside, or the first publisher does so inside of its call. Whatever
// the interleaving: no call touches a handler that is destroyed, nobody touches a table that is gone, the handler is
// destroyed and the table let go before everything is over, and nobody waits for ever.
//
// `calls_model planted` takes away one thing at a time, and each has to be caught.
#include "planted.hpp"

namespace {

enum class fault {
  none,
  caller_no_fence,        // a call does not order its mark before its look whether the subscription has ended
  return_no_fence,        // nor its return before its look at what waits
  listed_before_barrier,  // who waits can be told by calls that return before its barrier
  waiter_no_fence,        // who waits does not order that it does before its look at the calls
  looks_at_table,         // a call looks at its table once more after it has returned
  counts_late_calls,      // an end waits for calls that begin when the handler is destroyed already
  looks_once,             // who waits does not look after it has counted itself
  tells_nobody,           // a call that returns does not tell
  destroys_at_once,       // an end inside of a call destroys the handler there
};

enum class ends_how { outside, inside };

template <fault Planted, ends_how How>
struct calling : rl::test_suite<calling<Planted, How>, 3> {
  static constexpr int publishers = 2;
  static constexpr int calls = 2;

  rl::atomic<int> depth[publishers];  // inline_caller
  rl::atomic<int> ended;
  rl::atomic<int> awaited;  // awaited_calls
  rl::mutex list;           // of call_waiters
  rl::var<bool> subscription_waits;
  rl::var<bool> table_waits;

  rl::mutex callers;  // of inline_subscriber: destroy_if_last()
  rl::var<bool> destroyed;
  rl::var<int> handler;  // 1: it lives
  rl::atomic<int> left;

  rl::mutex gate;          // the first publisher's, whose table somebody else lets go
  rl::var<bool> let_go;    // the outlet has no table any more
  rl::var<int> table;      // 1: it lives
  rl::atomic<int> closed;  // the outlet's, in another thread's hands

  void before() {
    for (auto& each : depth) each.store(0, rl::mo_relaxed, $);
    ended.store(0, rl::mo_relaxed, $);
    awaited.store(0, rl::mo_relaxed, $);
    left.store(0, rl::mo_relaxed, $);
    closed.store(0, rl::mo_relaxed, $);
    subscription_waits($) = table_waits($) = destroyed($) = let_go($) = false;
    handler($) = table($) = 1;
  }
  void after() {
    // Where the first publisher finds its table gone before it calls, nobody ends it.
    RL_ASSERT((handler($) == 0) == (ended.load(rl::mo_relaxed, $) == 1));
    RL_ASSERT(table($) == 0);
    RL_ASSERT(awaited.load(rl::mo_relaxed, $) == 0);
  }
  void thread(unsigned index) {
    if (index < publishers) return publish(static_cast<int>(index));
    abandon();
    if (How == ends_how::outside) end_and_wait();
  }

  void fence(fault unless) {
    if (Planted == fault::none || Planted != unless) rl::atomic_thread_fence(rl::mo_seq_cst, $);
  }

  void publish(int own) {
    for (int i = 0; i != calls; ++i) {
      if (own == 0) {
        gate.lock($);
        const bool there = !let_go($);
        if (there) depth[own].store(1, rl::mo_relaxed, $);
        gate.unlock($);
        if (!there) return;
        RL_ASSERT(table($) == 1);
      } else {
        depth[own].store(1, rl::mo_relaxed, $);
      }
      fence(fault::caller_no_fence);
      if (ended.load(rl::mo_acquire, $) == 0) {
        RL_ASSERT(handler($) == 1);
        if (How == ends_how::inside && own == 0 && i == 0) end_inside();
      }
      depth[own].store(0, rl::mo_release, $);
      fence(fault::return_no_fence);
      if (Planted == fault::looks_at_table && own == 0) RL_ASSERT(table($) == 1);
      if (Planted != fault::tells_nobody && awaited.load(rl::mo_relaxed, $) != 0) tell(own);
    }
  }
  void tell(int returned) {
    list.lock($);
    const bool subscription = subscription_waits($);
    const bool abandoned = table_waits($) && returned == 0;
    list.unlock($);
    if (subscription) destroy_if_last();
    if (abandoned && depth[0].load(rl::mo_acquire, $) == 0) forget_table();
  }

  void add(rl::var<bool>& waits) {
    awaited.fetch_add(1, rl::mo_relaxed, $);
    if (Planted != fault::listed_before_barrier) fence(fault::waiter_no_fence);
    list.lock($);
    waits($) = true;
    list.unlock($);
    if (Planted == fault::listed_before_barrier) fence(fault::none);
  }
  /// Returns: true the first time.
  bool remove(rl::var<bool>& waits) {
    list.lock($);
    const bool there = waits($);
    waits($) = false;
    if (there) awaited.fetch_sub(1, rl::mo_relaxed, $);
    list.unlock($);
    return there;
  }

  bool somebody_calls() {
    bool any = false;
    for (auto& each : depth) any = each.load(rl::mo_acquire, $) != 0 || any;
    return any;
  }
  void destroy_if_last() {
    callers.lock($);
    const bool last = !destroyed($) && !somebody_calls();
    if (last) destroyed($) = true;
    callers.unlock($);
    if (last) {
      handler($) = 0;
      remove(subscription_waits);
    }
    left.fetch_add(1, rl::mo_release, $);
  }
  void begin_end() {
    ended.store(1, rl::mo_seq_cst, $);
    add(subscription_waits);
  }
  void end_and_wait() {
    begin_end();
    for (;;) {
      const int seen = left.load(rl::mo_acquire, $);
      callers.lock($);
      const bool over = somebody_calls() == 0 || (destroyed($) && Planted != fault::counts_late_calls);
      callers.unlock($);
      if (over) break;
      while (left.load(rl::mo_acquire, $) == seen) rl::yield(1, $);
    }
    destroy_if_last();
  }
  void end_inside() {
    begin_end();
    if (Planted == fault::destroys_at_once) destroy();
  }
  void destroy() {
    callers.lock($);
    destroyed($) = true;
    callers.unlock($);
    handler($) = 0;
    remove(subscription_waits);
  }

  /// outlet_base::let_go(): the gate is excluded while the table is taken out.
  void abandon() {
    gate.lock($);
    let_go($) = true;
    gate.unlock($);
    if (depth[0].load(rl::mo_acquire, $) == 0) {
      table($) = 0;
      return;
    }
    add(table_waits);
    if (Planted != fault::looks_once && depth[0].load(rl::mo_acquire, $) == 0) forget_table();
  }
  void forget_table() {
    if (remove(table_waits)) table($) = 0;
  }
};

template <fault Which>
using outside = calling<Which, ends_how::outside>;
template <fault Which>
using inside = calling<Which, ends_how::inside>;

}  // namespace

int main(int argc, char** argv) {
  return model::run(
      argc, argv, {&model::holds<outside<fault::none>>, &model::holds<inside<fault::none>>},
      {model::plant<outside<fault::caller_no_fence>>("a call without a barrier before its look at the end"),
       model::plant<outside<fault::return_no_fence>>("a call without a barrier after its return"),
       model::plant<outside<fault::waiter_no_fence>>("who waits without its barrier"),
       model::plant<outside<fault::listed_before_barrier>>("who waits is in the list before its barrier"),
       model::plant<outside<fault::looks_at_table>>("a call that looks at its table after its return"),
       model::plant<outside<fault::counts_late_calls>>("an end that waits for calls after the handler is destroyed"),
       model::plant<outside<fault::looks_once>>("an abandoned table that is not looked at again"),
       model::plant<inside<fault::tells_nobody>>("a call that returns and tells nobody"),
       model::plant<inside<fault::destroys_at_once>>("an end that destroys the handler inside of its call")});
}
