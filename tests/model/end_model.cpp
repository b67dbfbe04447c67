// Who receives, and who no longer does: the bus's version, the table that it names, and the gate that a publisher is in
// (amphibus/queue/gate.hpp, through the seam; the rest as outlet_base::refresh(), outlet's push and bus_core::remove()
// have it). One publisher, one subscription that is there from the beginning and ends, one that begins. Whatever the
// interleaving: nothing is pushed to what has ended, and what is published after a subscription began reaches it.
//
// `end_model planted` takes one thing away at a time, and each has to be caught.
#include "model/watched.hpp"

#include <amphibus/base/barrier.hpp>
#include <amphibus/queue/gate.hpp>

#include "model/planted.hpp"

namespace {

namespace base = amphibus::base;
namespace queue = amphibus::queue;

enum class fault {
  none,
  no_wait,        // who ends does not wait for publishers
  version_first,  // the version moves before the table
  table_once,     // a publisher never looks at the version again
  table_first,    // a publisher reads the table before the version
};
fault planted = fault::none;

/// The inbox of a subscription: plain memory, so that the checker sees a push to what is gone.
struct receiver {
  rl::var<int> pushed;
  rl::var<int> gone;
};

struct table {
  bool old_one = false;
  bool new_one = false;
};

class bus {
 public:
  explicit bus(table first) : table_(first) {}

  [[nodiscard]] table look() {
    const std::lock_guard lock(mutex_);
    return table_;
  }
  template <class Change>
  void change(const Change& how) {
    if (planted == fault::version_first) version.fetch_add(1, std::memory_order_release);
    {
      const std::lock_guard lock(mutex_);
      how(table_);
    }
    if (planted != fault::version_first) version.fetch_add(1, std::memory_order_release);
  }

  base::atomic<std::uint64_t> version{1};

 private:
  base::mutex mutex_;
  table table_;
};

struct ending : rl::test_suite<ending, 3> {
  static constexpr int messages = 3;
  model::of_run<bus> of;
  model::of_run<queue::gate> gate;
  receiver old_one;
  receiver new_one;
  rl::atomic<int> begun;

  void before() {
    model::begin_run();
    of.make(table{true, false});
    gate.make();
    old_one.pushed($) = old_one.gone($) = new_one.pushed($) = new_one.gone($) = 0;
    begun.store(0, rl::mo_relaxed, $);
  }
  void after() {
    gate.end();
    of.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index == 0) return publish();
    index == 1 ? end() : begin();
  }

  void publish() {
    std::uint64_t seen = 0;
    table known;
    int expected = 0;
    for (int i = 0; i != messages; ++i) {
      if (begun.load(rl::mo_acquire, $) != 0) ++expected;
      for (bool done = false; !done;) {
        gate->enter_waiting();
        done = of->version.load(std::memory_order_acquire) == seen || (planted == fault::table_once && seen != 0);
        if (done && known.old_one) {
          RL_ASSERT(old_one.gone($) == 0);
          old_one.pushed($) = i;
        }
        if (done && known.new_one) new_one.pushed($) = new_one.pushed($) + 1;
        gate->leave();
        if (done) break;
        if (planted == fault::table_first) known = of->look();
        seen = of->version.load(std::memory_order_acquire);
        if (planted != fault::table_first) known = of->look();
      }
    }
    RL_ASSERT(new_one.pushed($) >= expected);
  }
  void end() {
    of->change([](table& all) { all.old_one = false; });
    base::heavy_barrier();
    if (planted != fault::no_wait) gate->wait_outside();
    old_one.pushed($) = -1;
    old_one.gone($) = 1;
  }
  void begin() {
    of->change([](table& all) { all.new_one = true; });
    begun.store(1, rl::mo_release, $);
  }
};

template <fault Which>
constexpr auto holds_with = &model::holds_with<ending, planted, Which>;
constexpr model::weakening weakenings[] = {{"enter", std::memory_order_seq_cst},
                                           {"end", std::memory_order_seq_cst},
                                           {"leave", std::memory_order_release},
                                           {"wait_outside", std::memory_order_acquire}};
template <int Which>
constexpr auto holds_without = &model::holds_with_one_of<ending, model::planted_weakening, weakenings, Which>;

}  // namespace

int main(int argc, char** argv) {
  return model::run(
      argc, argv, {holds_with<fault::none>},
      {{"who ends does not wait for publishers", holds_with<fault::no_wait>},
       {"the version moves before the table", holds_with<fault::version_first>},
       {"a publisher never looks at the version again", holds_with<fault::table_once>},
       {"a publisher reads the table before the version", holds_with<fault::table_first>},
       {"the publisher's fence between its entry and its look at the version is missing", holds_without<0>},
       {"the fence between the new version and the look at the gate is missing", holds_without<1>},
       {"a publisher leaves without releasing what it pushed", holds_without<2>},
       {"who waits outside does not acquire what was pushed", holds_without<3>}});
}
