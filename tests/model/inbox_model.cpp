// Credit, its reclaim through gates, announcing and parking (amphibus/queue/inbox.hpp, credit.hpp, gate.hpp,
// base/parker.hpp), through the seam, with the portable barrier: a full fence on both sides. One place; a publisher
// that takes it and uses it late, one that has to get it back from there, a consumer that sleeps. Whatever the
// interleaving: every message arrives once and in the order of its source, nobody sleeps for ever (a deadlock here,
// which the checker finds), there is never more than one message at once, and at the end the place is free. And one
// publisher to an inbox that throws out the oldest: every message is handled or thrown out, the newest is handled, and
// the places come back.
//
// `inbox_model planted` takes one thing away at a time, and each has to be caught.
#include "model/watched.hpp"

#include <amphibus/base/barrier.hpp>
#include <amphibus/queue/inbox.hpp>

#include "model/planted.hpp"

namespace {

using model::watched_slot;
namespace base = amphibus::base;
namespace queue = amphibus::queue;

constexpr int each = 2;  // messages of a publisher
constexpr int publishers = 2;

enum class fault {
  none,
  no_second_look,     // the consumer sleeps without looking once more
  no_announcement,    // a publisher does not look who sleeps
  no_reclaim,         // who is refused waits without asking idle publishers
  no_second_reclaim,  // who waits does not ask them once more when it is listed
  no_rest,            // the consumer sleeps without telling publishers that wait
};
fault planted = fault::none;

class woken_inbox final : public queue::inbox<watched_slot> {
 public:
  woken_inbox() : inbox(1, {}) {}
  base::parker parker;

 protected:
  void activated() noexcept override { parker.unpark(); }
};

class parked final : public queue::space_listener {
 public:
  void space_available() noexcept override { parker.unpark(); }
  base::parker parker;
};

struct publishing {
  queue::gate gate;
  std::shared_ptr<queue::multicast<watched_slot>> out = std::make_shared<queue::multicast<watched_slot>>();
  queue::multicast_sender<watched_slot> sender;
  parked bed;
  explicit publishing(const std::shared_ptr<woken_inbox>& to) : sender(gate, to, out) {}

  bool find_room() {
    const std::int64_t room = sender.find_room();
    out->set_room(static_cast<std::uint64_t>(room));
    return room != 0;
  }
  /// Takes a place that is free, and never uses it.
  void hoard() {
    gate.enter_waiting();
    find_room();
    gate.leave();
  }
  /// As an outlet does.
  void publish(int number) {
    queue::inbox_base& to = sender.to();
    for (;;) {
      gate.enter_waiting();
      const auto push = [&] { return out->push_if_room([&] { return watched_slot(number); }); };
      if (push() || (find_room() && push())) {
        base::light_barrier();
        if (planted != fault::no_announcement && out->take_sleepers()) to.announce();
        return gate.leave();
      }
      gate.leave();
      if (planted != fault::no_reclaim && to.reclaim_idle_credit()) continue;
      const bool asks_once = planted == fault::no_reclaim || planted == fault::no_second_reclaim;
      if (asks_once ? to.credit().listen(bed) : to.listen(bed, 1)) bed.parker.park();
      to.credit().forget(bed);
    }
  }
};

struct exchanging : rl::test_suite<exchanging, publishers + 1> {
  model::of_run<std::shared_ptr<woken_inbox>> box;
  model::of_run<publishing> one;
  model::of_run<publishing> other;
  model::of_run<base::futex_bed> beds;

  void before() {
    model::begin_run();
    base::bed = &beds.make();
    auto& to = box.make(std::make_shared<woken_inbox>());
    one.make(to);
    other.make(to);
    one->find_room();  // holds the only place, and may use it late
  }
  void after() {
    one.end();
    other.end();
    RL_ASSERT((*box)->credit().available() == 1);
    box.end();
    beds.end();
    model::end_run();
  }
  void thread(unsigned index) {
    if (index == publishers) return consume();
    publishing& by = index == 0 ? *one : *other;
    for (int i = 0; i != each; ++i) by.publish(static_cast<int>(index) * 100 + i);
    if (index == 0) by.hoard();
  }

  void consume() {
    woken_inbox& from = **box;
    int next[publishers] = {};
    for (int seen = 0; seen != publishers * each;) {
      watched_slot got[2] = {watched_slot(0), watched_slot(0)};
      const std::size_t count = from.pop(got, 2);
      RL_ASSERT(count <= 1);
      if (count == 1) {
        RL_ASSERT(next[got[0].number / 100]++ == got[0].number % 100);
        ++seen;
        from.finish(queue::load::of_small(1));
        continue;
      }
      from.credit().notify_if_waiting();
      sleep(from);
    }
  }
  static void sleep(woken_inbox& from) {
    from.deactivate();
    base::heavy_barrier();
    if (planted != fault::no_second_look && from.pushed() != from.finished()) {
      if (!from.reactivate()) from.parker.park();  // it has been unparked
      return;
    }
    if (planted != fault::no_rest) from.rest();
    from.parker.park();
  }
};

struct throwing_inbox final : queue::inbox<watched_slot> {
  throwing_inbox() : inbox(1, {queue::overflow_kind::drop_oldest, {}}) {}

 protected:
  void activated() noexcept override {}
};

struct throwing_out : rl::test_suite<throwing_out, 2> {
  static constexpr int last = 4;
  struct sending {
    queue::gate gate;
    std::shared_ptr<queue::multicast<watched_slot>> out = std::make_shared<queue::multicast<watched_slot>>();
    queue::multicast_sender<watched_slot> sender;
    explicit sending(const std::shared_ptr<throwing_inbox>& to) : sender(gate, to, out) {}
  };
  model::of_run<std::shared_ptr<throwing_inbox>> box;
  model::of_run<sending> by;
  rl::atomic<int> sent;

  void before() {
    model::begin_run();
    by.make(box.make(std::make_shared<throwing_inbox>()));
    sent.store(0, rl::mo_relaxed, $);
  }
  void after() {
    by.end();
    RL_ASSERT((*box)->credit().available() == 1);
    box.end();
    model::end_run();
  }
  void thread(unsigned index) { index == 0 ? send() : consume(); }

  /// As a list of senders does.
  void send() {
    const auto drop = [](const auto&) {};
    queue::multicast_sender<watched_slot>& sender = by->sender;
    for (int i = 1; i <= last; ++i) {
      if (sender.find_room() == 0) sender.make_room(1, drop);
      by->out->push_in_any_case(watched_slot(i));
      if (sender.has_lent()) sender.take_lent(drop);
    }
    sent.store(1, rl::mo_release, $);
  }
  void consume() {
    throwing_inbox& from = **box;
    int newest = 0;
    std::uint64_t handled = 0;
    for (;;) {
      const bool all_sent = sent.load(rl::mo_acquire, $) != 0;
      watched_slot got[1] = {watched_slot(0)};
      if (from.pop(got, 1) == 1) {
        RL_ASSERT(got[0].number > newest);
        newest = got[0].number;
        ++handled;
        from.finish(queue::load::of_small(1));
      } else if (all_sent) {
        break;
      } else {
        rl::yield(1, $);
      }
    }
    RL_ASSERT(newest == last);
    RL_ASSERT(handled + from.replaced() == last);
    RL_ASSERT(from.pushed() == from.finished());
  }
};

template <fault Which, int Iterations = model::iterations>
constexpr auto holds_with = &model::holds_with<exchanging, planted, Which, Iterations>;
constexpr int once_in_a_million = 10'000'000;  // it takes old values in three places; found after 0.1 to 2 million runs
constexpr model::weakening weakenings[] = {{"publish", std::memory_order_seq_cst},
                                           {"enter", std::memory_order_seq_cst}};
template <int Which>
constexpr auto holds_weakened = &model::holds_with_one_of<exchanging, model::planted_weakening, weakenings, Which>;

}  // namespace

int main(int argc, char** argv) {
  return model::run(
      argc, argv, {holds_with<fault::none>, &model::holds<throwing_out>},
      {{"the consumer sleeps without a second look", holds_with<fault::no_second_look>},
       {"a publisher does not look who sleeps", holds_with<fault::no_announcement>},
       {"who is refused does not ask idle publishers", holds_with<fault::no_reclaim>},
       {"who waits does not ask idle publishers once more", holds_with<fault::no_second_reclaim>},
       {"the consumer sleeps without telling publishers that wait", holds_with<fault::no_rest, once_in_a_million>},
       {"the publisher's fence between its message and its look is missing", holds_weakened<0>},
       {"the publisher's fence between its entry and its look at the gate is missing", holds_weakened<1>}});
}
