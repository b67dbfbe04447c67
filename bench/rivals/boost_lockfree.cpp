#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include "rivals/queues.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

/// Waits for room: spins, then yields.
template <class Queue, class T>
void push_waiting(Queue& to, const T& one) {
  for (int spins = 0; !to.push(one); ++spins) {
    if (spins > 50) std::this_thread::yield();
  }
}

template <class T>
struct one_to_one {
  explicit one_to_one(std::int64_t bound) : ring(static_cast<std::size_t>(bound)) {}
  struct producer {
    explicit producer(one_to_one& to) : of(to) {}
    void push(const T& one) { push_waiting(of.ring, one); }
    one_to_one& of;
  };
  struct consumer {
    explicit consumer(one_to_one& from) : of(from) {}
    template <class Use>
    std::size_t take(const Use& use) {
      return of.ring.consume_all([&](T& one) { use(one); });
    }
    one_to_one& of;
  };
  boost::lockfree::spsc_queue<T> ring;
};

/// As `carried`, which it does not take: its assignment has to be trivial.
struct carried_in : message<32> {
  carried_in() = default;
  explicit carried_in(std::uint64_t number) noexcept : message<32>{{number}} {}
  carried_in(const carried_in& from) noexcept {
    for (std::size_t i = 0; i != words.size(); ++i) words[i] = amphibus::base::apart(from.words[i]);
  }
  carried_in& operator=(const carried_in&) = default;
};

/// Holds trivial types only. Its nodes are allocated at the start; indices of 16 bits allow 65,534 of them.
template <class T>
struct many_to_one {
  explicit many_to_one(std::int64_t bound) : list(static_cast<std::size_t>(bound)) {}
  struct producer {
    explicit producer(many_to_one& to) : of(to) {}
    void push(const T& one) {
      for (int spins = 0; !of.list.bounded_push(one); ++spins) {
        if (spins > 50) std::this_thread::yield();
      }
    }
    many_to_one& of;
  };
  struct consumer {
    explicit consumer(many_to_one& from) : of(from) {}
    template <class Use>
    std::size_t take(const Use& use) {
      return of.list.consume_all([&](T& one) { use(one); });
    }
    many_to_one& of;
  };
  boost::lockfree::queue<T> list;
};

double run(const shape& of, std::size_t count) {
  if (of.publishers == 1) return run_by_size<one_to_one>(of, count);
  return run_queues<many_to_one<carried_in>>(
      of, count, [](std::size_t i) { return carried_in(i); }, [](const carried_in& m) { return m.words[0]; });
}

}  // namespace

rival boost_lockfree() {
  return {"Boost.Lockfree", "spsc_queue with consume_all; with several producers queue with bounded_push", &run,
          [](const shape& of) { return of.publishers == 1 || of.bytes == 32; }, 0.25};
}

}  // namespace bench
