// How a subscription joins a topic that retains (topic_core::add, outlet_base::try_once, history_keeper), written out
// for the model checker. Two sources publish while one subscription joins: whatever the interleaving, it has to get
// every message of each source exactly once and in order, from what is kept or from its inbox.
//
// `join_model planted` takes away one thing at a time, and each has to be caught.
#include "planted.hpp"

namespace {

enum class fault {
  none,
  version_after,  // who joins moves the version when publishers may already go on
  looks_before,   // a publisher looks at the version before it has the order
  copies_before,  // who joins copies what is kept before it has the order
};

constexpr int sources = 2;
constexpr int each_publishes = 2;

/// Messages of each source, in order.
struct log_of_messages {
  rl::var<int> count[sources];
  rl::var<int> number[sources][2 * each_publishes];

  void clear() {
    for (int source = 0; source != sources; ++source) count[source]($) = 0;
  }
  void add(int source, int message) {
    const int at = count[source]($);
    RL_ASSERT(at < 2 * each_publishes);
    number[source][at]($) = message;
    count[source]($) = at + 1;
  }
};

template <fault Planted>
struct joining : rl::test_suite<joining<Planted>, sources + 1> {
  rl::atomic<int> version;
  rl::mutex table_lock;  // topic_core::mutex_
  rl::var<bool> joined;  // in the table of receivers
  rl::mutex order;       // history_keeper::order()
  log_of_messages kept;
  rl::mutex inbox_lock;  // the queue between publishers and the inbox
  log_of_messages inbox;
  log_of_messages history;

  void before() {
    version.store(1, rl::mo_relaxed, $);
    joined($) = false;
    kept.clear();
    inbox.clear();
    history.clear();
  }
  void thread(unsigned index) {
    if (index == sources) return join();
    int seen = 0;
    bool in_table = false;
    for (int i = 1; i <= each_publishes; ++i) publish(static_cast<int>(index), i, seen, in_table);
  }

  void publish(int source, int message, int& seen, bool& in_table) {
    for (;;) {
      const int now = version.load(rl::mo_acquire, $);
      if (now != seen) {
        table_lock.lock($);
        in_table = joined($);
        table_lock.unlock($);
        seen = now;
      }
      const bool looked = version.load(rl::mo_acquire, $) == seen;
      order.lock($);
      const bool current = Planted == fault::looks_before ? looked : version.load(rl::mo_acquire, $) == seen;
      if (current) {
        if (in_table) {
          inbox_lock.lock($);
          inbox.add(source, message);
          inbox_lock.unlock($);
        }
        kept.add(source, message);
      }
      order.unlock($);
      if (current) return;
    }
  }

  void copy() {
    for (int source = 0; source != sources; ++source) {
      for (int i = 0; i != kept.count[source]($); ++i) history.add(source, kept.number[source][i]($));
    }
  }
  void join() {
    table_lock.lock($);
    if (Planted == fault::copies_before) {
      order.lock($);
      copy();
      order.unlock($);
    }
    order.lock($);
    if (Planted != fault::copies_before) copy();
    joined($) = true;
    if (Planted == fault::version_after) {
      order.unlock($);
      table_lock.unlock($);
      version.fetch_add(1, rl::mo_release, $);
      return;
    }
    version.fetch_add(1, rl::mo_release, $);
    order.unlock($);
    table_lock.unlock($);
  }

  void after() {
    for (int source = 0; source != sources; ++source) {
      int next = 1;
      for (int i = 0; i != history.count[source]($); ++i) RL_ASSERT(history.number[source][i]($) == next++);
      for (int i = 0; i != inbox.count[source]($); ++i) RL_ASSERT(inbox.number[source][i]($) == next++);
      RL_ASSERT(next == each_publishes + 1);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  return model::run(argc, argv, {&model::holds<joining<fault::none>>},
                    {model::plant<joining<fault::version_after>>("the version moves after the order is given back"),
                     model::plant<joining<fault::looks_before>>("a publisher looks before it has the order"),
                     model::plant<joining<fault::copies_before>>("the copy is made before the order is kept")});
}
