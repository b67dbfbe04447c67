#include <atomic_queue/atomic_queue.h>

#include "rivals/queues.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

template <class T, bool SingleProducer>
struct ring_queue {
  // AtomicQueueB2 holds any type; its size is chosen at run time and MAXIMIZE_THROUGHPUT spreads neighbours.
  using ring_type = ::atomic_queue::AtomicQueueB2<T, std::allocator<T>, true, false, SingleProducer>;
  explicit ring_queue(std::int64_t bound) : ring(static_cast<unsigned>(bound)) {}

  struct producer {
    explicit producer(ring_queue& to) : of(to) {}
    void push(const T& one) {
      for (int spins = 0; !of.ring.try_push(T(one)); ++spins) {
        if (spins > 50) std::this_thread::yield();
      }
    }
    ring_queue& of;
  };
  struct consumer {
    explicit consumer(ring_queue& from) : of(from) {}
    template <class Use>
    std::size_t take(const Use& use) {
      std::size_t count = 0;
      for (T one{}; count != drain_max && of.ring.try_pop(one); ++count) use(one);
      return count;
    }
    ring_queue& of;
  };

  ring_type ring;
};
template <class T>
using one_to_one = ring_queue<T, true>;
template <class T>
using many_to_one = ring_queue<T, false>;

template <class T>
using napping_one = napping<one_to_one<T>>;
template <class T>
using napping_many = napping<many_to_one<T>>;

double run(const shape& of, std::size_t count) {
  return of.publishers == 1 ? run_by_size<one_to_one>(of, count) : run_by_size<many_to_one>(of, count);
}
double run_napping(const shape& of, std::size_t count) {
  return of.publishers == 1 ? run_by_size<napping_one>(of, count) : run_by_size<napping_many>(of, count);
}

}  // namespace

rival atomic_queue() {
  return {"atomic_queue", "AtomicQueueB2, MAXIMIZE_THROUGHPUT, SPSC where there is one producer, try_push and try_pop",
          &run, nullptr, 0.25};
}

rival napping_atomic_queue() {
  return {"atomic_queue, naps", "as atomic_queue, with naps as ours after a small pop", &run_napping, nullptr, 0.25};
}

}  // namespace bench
