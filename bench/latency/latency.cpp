#include "latency/latency.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <thread>

#include <amphibus/bus.hpp>
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <concurrentqueue/concurrentqueue.h>

#include "harness/histogram.hpp"
#include "latency/pace.hpp"

namespace bench {
namespace {

struct stamped {
  std::uint64_t intended = 0;
  std::array<std::uint64_t, 3> rest{};
};
constexpr amphibus::topic<stamped> stamped_topic{"bench.stamped"};

constexpr std::uint64_t asleep_gap_ns = 1'000'000;  // everybody sleeps between two messages
constexpr std::uint64_t awake_gap_ns = 5'000;       // nobody does

/// How often, and how many.
struct pace {
  std::uint64_t gap_ns;
  std::size_t count;
};

/// Runs `receive(record)` in a thread of its own and `send(intended)` by the clock; records what lies between. Returns:
/// the median in nanoseconds.
template <class Receive, class Send>
double measure_one_way(const pace& of, histogram& all, const Receive& receive, const Send& send) {
  histogram here;
  std::thread receiver([&] { receive([&](std::uint64_t intended) { here.add(now_ns() - intended); }); });
  send_paced(of.count, of.gap_ns, send);
  receiver.join();
  all.add(here);
  return here.at(0.5);
}

double ours(const pace& of, histogram& all) {
  histogram here;
  amphibus::bus bus;
  auto sub = bus.subscribe(stamped_topic, {.on = amphibus::dedicated},
                           [&](const stamped& m) { here.add(now_ns() - m.intended); });
  auto out = bus.publisher(stamped_topic);
  send_paced(of.count, of.gap_ns, [&](std::uint64_t intended) { out.publish({.intended = intended}); });
  bus.drain();
  all.add(here);
  return here.count() == of.count ? here.at(0.5) : std::numeric_limits<double>::infinity();
}

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  ::syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

/// The least there is: one word, a wait and a wake.
double bare_futex(const pace& of, histogram& all) {
  std::atomic<std::uint32_t> turn{0};
  std::array<std::atomic<std::uint64_t>, 1024> carried{};  // a receiver that is late misses nothing
  const auto receive = [&](const auto& record) {
    for (std::uint32_t seen = 0; seen != of.count;) {
      const std::uint32_t sent = turn.load(std::memory_order_acquire);
      if (sent == seen) futex(turn, FUTEX_WAIT_PRIVATE, seen);
      for (; seen != sent; ++seen) record(carried[seen % carried.size()].load(std::memory_order_relaxed));
    }
  };
  return measure_one_way(of, all, receive, [&](std::uint64_t intended) {
    carried[turn.load(std::memory_order_relaxed) % carried.size()].store(intended, std::memory_order_relaxed);
    turn.fetch_add(1, std::memory_order_release);
    futex(turn, FUTEX_WAKE_PRIVATE, 1);
  });
}

/// One word per message, on a line of its own, that the other side spins on.
double bare_atomic(const pace& of, histogram& all) {
  struct alignas(128) word {
    std::atomic<std::uint64_t> carried{0};
  };
  std::array<word, 1024> words;  // a receiver that the system stops misses nothing
  const auto receive = [&](const auto& record) {
    for (std::size_t seen = 0; seen != of.count; ++seen) {
      std::atomic<std::uint64_t>& next = words[seen % words.size()].carried;
      std::uint64_t intended = 0;
      while ((intended = next.load(std::memory_order_acquire)) == 0) amphibus::base::pause();
      record(intended);
      next.store(0, std::memory_order_release);
    }
  };
  std::size_t sent = 0;
  return measure_one_way(of, all, receive, [&](std::uint64_t intended) {
    std::atomic<std::uint64_t>& next = words[sent++ % words.size()].carried;
    while (next.load(std::memory_order_acquire) != 0) amphibus::base::pause();
    next.store(intended, std::memory_order_release);
  });
}

double blocking_moodycamel(const pace& of, histogram& all) {
  moodycamel::BlockingConcurrentQueue<stamped> queue;
  const auto receive = [&](const auto& record) {
    moodycamel::ConsumerToken token(queue);
    stamped one;
    for (std::size_t seen = 0; seen != of.count; ++seen) {
      queue.wait_dequeue(token, one);
      record(one.intended);
    }
  };
  moodycamel::ProducerToken token(queue);
  return measure_one_way(of, all, receive,
                         [&](std::uint64_t intended) { queue.enqueue(token, stamped{.intended = intended}); });
}

double polled_moodycamel(const pace& of, histogram& all) {
  moodycamel::ConcurrentQueue<stamped> queue;
  const auto receive = [&](const auto& record) {
    moodycamel::ConsumerToken token(queue);
    stamped one;
    for (std::size_t seen = 0; seen != of.count; ++seen) {
      while (!queue.try_dequeue(token, one)) amphibus::base::pause();
      record(one.intended);
    }
  };
  moodycamel::ProducerToken token(queue);
  return measure_one_way(of, all, receive,
                         [&](std::uint64_t intended) { queue.enqueue(token, stamped{.intended = intended}); });
}

using way = double (*)(const pace&, histogram&);

scenario make(const char* name, const char* rival, const char* how, double target, const pace& of, way theirs) {
  auto mine = std::make_shared<histogram>();
  auto other = std::make_shared<histogram>();
  return {.name = name,
          .ours = "one way",
          .rival = rival,
          .how = how,
          .unit = "ns",
          .less_is_better = true,
          .target = target,
          .ours_times = mine,
          .rival_times = other,
          .run_ours = [=] { return ours(of, *mine); },
          .run_rival = [=] { return theirs(of, *other); }};
}

}  // namespace

std::vector<scenario> latency_scenarios(double effort) {
  const pace asleep{asleep_gap_ns, static_cast<std::size_t>(1'000 * effort)};
  const pace awake{awake_gap_ns, static_cast<std::size_t>(200'000 * effort)};
  return {make("latency/asleep", "bare futex", "one word, FUTEX_WAIT and FUTEX_WAKE; a message per ms", 1.15, asleep,
               &bare_futex),
          make("latency/asleep", "moodycamel blocking", "BlockingConcurrentQueue, wait_dequeue; a message per ms", 0,
               asleep, &blocking_moodycamel),
          make("latency/awake", "bare atomic", "one word, spun on; a message every 5 us", 3, awake, &bare_atomic),
          make("latency/awake", "moodycamel polling", "try_dequeue without pause; a message every 5 us", 0, awake,
               &polled_moodycamel),
          make("latency/awake", "moodycamel blocking", "BlockingConcurrentQueue, wait_dequeue; a message every 5 us", 0,
               awake, &blocking_moodycamel)};
}

}  // namespace bench
