// How the end of an inline subscription waits for the calls of publishers, and how a publisher's table goes
// (amphibus/detail/inline_caller.hpp, src/detail/inline_callers.hpp and call_waiters.hpp through the seam, with the
// portable barrier; the rest as outlet_base::call_at_once() and let_go(), inline_subscriber and inline_table have it).
// One publisher calls by value, through a table that a third thread lets go of meanwhile; somebody else calls through
// it in the publisher's stead, in the way that costs more, as who places what was held. The third ends the
// subscription, or the publisher does so inside of its call. Whatever the interleaving: no call touches a handler that
// is destroyed or a subscription that parted, nobody marks a call in a table whose memory is gone, the handler is
// destroyed and the table gone before everything is over, each call is counted, and nobody waits for ever.
//
// `calls_model planted` takes away one thing at a time, and each has to be caught.
#include "model/watched.hpp"

#include <amphibus/base/barrier.hpp>

#include "detail/call_waiters.hpp"
#include "detail/inline_callers.hpp"
#include "model/planted.hpp"

namespace {

namespace base = amphibus::base;
using amphibus::detail::call_waiter;
using amphibus::detail::call_waiters;
using amphibus::detail::inline_caller;
using amphibus::detail::inline_callers;

enum class fault {
  none,
  marks_late,        // a call looks whether it may before it marks itself
  version_last,      // who ends the subscription moves the version after its barrier
  looks_at_table,    // a call looks at its table once more after it has returned
  looks_once,        // who waits does not look after it has counted itself
  tells_nobody,      // a call that returns does not tell
  destroys_at_once,  // an end inside of a call destroys the handler there
  frees_at_once,     // a table that nobody calls is freed while a publish may still mark a call in it
  promises_nothing,  // a call that is still to come does not say so inside the gate
};
fault planted = fault::none;
constexpr model::weakening weakenings[] = {
    {"become", std::memory_order_seq_cst},     {"become", std::memory_order_release},
    {"leave", std::memory_order_seq_cst},      {"leave", std::memory_order_release},
    {"is_calling", std::memory_order_acquire}, {"add", std::memory_order_seq_cst}};

/// What there is one of in a process.
struct process {
  base::atomic<std::uint32_t> awaited{0};
  call_waiters waiters{awaited};
};
model::of_run<process> of_process;

}  // namespace

bool amphibus::detail::calls_are_awaited() noexcept { return of_process->awaited.load(std::memory_order_relaxed) != 0; }
void amphibus::detail::tell_returned(const inline_caller* which) noexcept {
  if (planted != fault::tells_nobody) of_process->waiters.tell(which);
}

namespace {

/// inline_subscriber, as far as its end goes.
class subscription final : public call_waiter {
 public:
  explicit subscription(rl::var<int>& handler) : handler_(handler) { handler_($) = 1; }
  inline_callers callers;
  base::atomic<bool> ended{false};

  void handle() { RL_ASSERT(handler_($) == 1); }
  [[nodiscard]] bool waits_for(const inline_caller* which) noexcept override { return callers.includes(which); }
  void call_returned() noexcept override { destroy_if_last(); }
  void part(inline_caller& who) {
    callers.part(who);
    if (ended.load(std::memory_order_acquire)) destroy_if_last();
  }
  void end(base::atomic<int>& version, const std::shared_ptr<subscription>& self, bool inside) {
    if (!ended.exchange(true, std::memory_order_seq_cst)) {
      if (planted != fault::version_last) version.fetch_add(1, std::memory_order_release);
      of_process->waiters.add(self);
      if (planted == fault::version_last) version.fetch_add(1, std::memory_order_release);
      callers.begin_end();
    }
    if (inside && planted == fault::destroys_at_once) return destroy();
    if (inside) return;
    callers.wait_for_last();
    destroy_if_last();
  }

 private:
  void destroy() {
    handler_($) = 0;
    of_process->waiters.remove(*this);
  }
  void destroy_if_last() {
    if (callers.take_last()) destroy();
    callers.tell_all();
  }
  rl::var<int>& handler_;  // 1: it lives
};

/// inline_table, with one entry.
class table final : public call_waiter {
 public:
  table(std::shared_ptr<subscription> of, rl::atomic<int>& memory) : who_(std::move(of)), memory_(memory) {
    memory_.store(1, rl::mo_relaxed, $);
    who_->callers.join(caller);
  }
  /// Its memory is looked at after its end, to find that out.
  static void destroy(table* which) {
    which->part();
    which->memory_.store(0, rl::mo_relaxed, $);
  }
  void part() {
    if (const auto from = std::exchange(who_, nullptr)) from->part(caller);
  }
  void look() { RL_ASSERT(memory_.load(rl::mo_relaxed, $) == 1); }
  void handle() { who_->handle(); }
  [[nodiscard]] const std::shared_ptr<subscription>& who() const { return who_; }
  [[nodiscard]] bool waits_for(const inline_caller* which) noexcept override {
    return which == &caller || which == &promised;
  }
  void call_returned() noexcept override {
    if (!is_called() && of_process->waiters.remove(*this)) part();
  }
  static void abandon(const std::shared_ptr<table>& which) {
    if (!which->is_called()) return which->part();
    of_process->waiters.add(which);
    if (planted != fault::looks_once) which->call_returned();
  }

  inline_caller caller;
  inline_caller promised;

 private:
  [[nodiscard]] bool is_called() const { return promised.is_calling() || caller.is_calling(); }
  std::shared_ptr<subscription> who_;
  rl::atomic<int>& memory_;  // 1: it is there. The checker does not see what orders the last drop of a shared_ptr
};

/// outlet_base, as far as it calls.
struct outlet {
  base::atomic<table*> at_once{nullptr};
  base::mutex gate;
  std::shared_ptr<table> inlines;
  std::shared_ptr<table> let_go;
};

enum class ends_how { outside, inside };

template <ends_how How>
struct calling : rl::test_suite<calling<How>, 3> {
  static constexpr int calls = 2;

  rl::var<int> handler;
  rl::atomic<int> memory;
  rl::var<int> handled[2];
  model::of_run<base::atomic<int>> version;
  model::of_run<std::shared_ptr<subscription>> who;
  model::of_run<table> tabled;
  model::of_run<outlet> from;

  void before() {
    model::begin_run();
    of_process.make();
    version.make(1);
    auto& ending = who.make(std::make_shared<subscription>(handler));
    from.make().inlines = {&tabled.make(ending, memory), &table::destroy};
    from->at_once.store(&*tabled, std::memory_order_relaxed);
    handled[0]($) = handled[1]($) = 0;
  }
  void after() {
    from->let_go.reset();
    RL_ASSERT(handler($) == 0);
    RL_ASSERT(memory.load(rl::mo_relaxed, $) == 0);
    RL_ASSERT(of_process->awaited.load(std::memory_order_relaxed) == 0);
    RL_ASSERT((*who)->callers.handled() == static_cast<std::uint64_t>(handled[0]($) + handled[1]($)));
    from.end();
    tabled.end();
    who.end();
    version.end();
    of_process.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index == 2) return close();
    for (int i = 0; i != calls; ++i) index == 0 ? call_at_once(i) : call_otherwise();
  }

  void call_at_once(int which) {
    table* const to = from->at_once.load(std::memory_order_relaxed);
    if (to == nullptr) return;
    const bool early = planted == fault::marks_late && is_current();
    to->look();
    const std::uint64_t begun = to->caller.begin();
    base::compiler_barrier();
    if (early || (planted != fault::marks_late && is_current())) {
      to->handle();
      handled[0]($) = handled[0]($) + 1;
      if (How == ends_how::inside && which == 0) {
        to->who()->end(*version, to->who(), true);
        let_go(true);
      }
      if (to->caller.end(begun)) amphibus::detail::tell_returned(&to->caller);
    } else {
      to->caller.give_up(begun);
    }
    if (planted == fault::looks_at_table) to->look();
  }
  bool is_current() { return version->load(std::memory_order_acquire) == 1; }

  void call_otherwise() {
    from->gate.lock();
    const std::shared_ptr<table> to = from->inlines;
    if (to && planted != fault::promises_nothing) to->promised.enter();
    from->gate.unlock();
    if (!to) return;
    to->look();  // others may run before
    RL_ASSERT(to->who() != nullptr);
    subscription& called = *to->who();
    to->caller.enter();
    base::light_barrier();
    const bool may = !called.ended.load(std::memory_order_acquire);
    if (may) {
      called.handle();
      handled[1]($) = handled[1]($) + 1;
    }
    to->caller.leave(may);
    if (planted != fault::promises_nothing) to->promised.leave(false);
  }

  /// The owner in its handler, which destroys the outlet, or who closes the bus in its stead.
  void let_go(bool by_owner) {
    from->at_once.store(nullptr, std::memory_order_relaxed);
    from->gate.lock();
    const std::shared_ptr<table> gone = std::exchange(from->inlines, nullptr);
    from->gate.unlock();
    if (!gone) return;
    if (!by_owner) {
      base::heavy_barrier();
      if (planted != fault::frees_at_once) from->let_go = gone;
    }
    table::abandon(gone);
  }
  void close() {
    (*who)->end(*version, *who, false);
    let_go(false);
  }
};

template <fault Which, ends_how How>
constexpr auto holds_with = &model::holds_with<calling<How>, planted, Which>;
template <int Which>
constexpr auto holds_weakened =
    &model::holds_with_one_of<calling<ends_how::outside>, model::planted_weakening, weakenings, Which>;

}  // namespace

int main(int argc, char** argv) {
  using enum ends_how;
  return model::run(
      argc, argv, {holds_with<fault::none, outside>, holds_with<fault::none, inside>},
      {{"a call that looks whether it may before its mark", holds_with<fault::marks_late, outside>},
       {"an end that moves the version after its barrier", holds_with<fault::version_last, outside>},
       {"a call that looks at its table after its return", holds_with<fault::looks_at_table, inside>},
       {"an abandoned table that is not looked at again", holds_with<fault::looks_once, inside>},
       {"a call that returns and tells nobody", holds_with<fault::tells_nobody, inside>},
       {"an end that destroys the handler inside of its call", holds_with<fault::destroys_at_once, inside>},
       {"a table that is freed before a late mark in it", holds_with<fault::frees_at_once, outside>},
       {"a call that is to come and does not say so", holds_with<fault::promises_nothing, outside>},
       {"inline_caller::become: no barrier after a return", holds_weakened<0>},
       {"inline_caller::become: relaxed", holds_weakened<1>},
       {"inline_caller::leave: no barrier", holds_weakened<2>},
       {"inline_caller::leave: relaxed", holds_weakened<3>},
       {"inline_caller::is_calling: relaxed", holds_weakened<4>},
       {"call_waiters::add: no barrier", holds_weakened<5>}});
}
