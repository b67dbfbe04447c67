// One producer, one consumer: the shape that this queue is made for.
#include <readerwriterqueue/readerwriterqueue.h>

#include "rivals/queues.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

template <class T>
struct queue {
  explicit queue(std::int64_t bound) : ring(static_cast<std::size_t>(bound)) {}

  struct producer {
    explicit producer(queue& to) : of(to) {}
    void push(const T& one) {
      for (int spins = 0; !of.ring.try_enqueue(one); ++spins) {  // never allocates
        if (spins > 50) std::this_thread::yield();
      }
    }
    queue& of;
  };
  struct consumer {
    explicit consumer(queue& from) : of(from) {}
    template <class Use>
    std::size_t take(const Use& use) {
      std::size_t count = 0;
      for (T* first = of.ring.peek(); first != nullptr && count != drain_max; first = of.ring.peek(), ++count) {
        use(*first);  // in place: no copy out
        of.ring.pop();
      }
      return count;
    }
    queue& of;
  };

  moodycamel::ReaderWriterQueue<T> ring;
};

template <class T>
using napping_queue = napping<queue<T>>;

/// A page for one reader needs no pointer: it is copied into the ring and read there.
double run(const shape& of, std::size_t count) {
  if (of.bytes != 4096 || of.subscribers != 1) return run_by_size<queue>(of, count);
  using page = message<4096>;
  return run_queues<queue<page>>(
      of, count,
      [](std::size_t i) -> const page& {
        static thread_local const auto one = std::make_unique<page>();
        one->words[0] = i;
        return *one;
      },
      [](const page& m) { return m.words[0]; });
}

bool has_one_publisher(const shape& of) { return of.publishers == 1; }

}  // namespace

rival readerwriterqueue() {
  return {
      "readerwriterqueue",
      "try_enqueue into the room allocated at the start, by value but for pages to several readers, handled in place "
      "with peek and pop",
      &run, &has_one_publisher, 1};
}

rival napping_readerwriterqueue() {
  return {"readerwriterqueue, naps", "as readerwriterqueue, with naps as ours after a small pop",
          &run_by_size<napping_queue>, &has_one_publisher, 1};
}

}  // namespace bench
