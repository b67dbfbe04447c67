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
      for (T* first = of.ring.peek(); first != nullptr && count != 256; first = of.ring.peek(), ++count) {
        use(*first);  // in place: no copy out
        of.ring.pop();
      }
      return count;
    }
    queue& of;
  };

  moodycamel::ReaderWriterQueue<T> ring;
};

}  // namespace

rival readerwriterqueue() {
  return {"readerwriterqueue", "try_enqueue into the room allocated at the start, handled in place with peek and pop",
          &run_by_size<queue>, [](const shape& of) { return of.publishers == 1; }, 1};
}

}  // namespace bench
