// The queue that most programs have: a deque, a mutex and two condition variables.
#include <condition_variable>
#include <deque>
#include <mutex>

#include "rivals/queues.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

template <class T>
struct queue {
  explicit queue(std::int64_t limit) : bound(static_cast<std::size_t>(limit)) {}

  struct producer {
    explicit producer(queue& to) : of(to) {}
    void push(const T& one) {
      bool first = false;
      {
        std::unique_lock lock(of.mutex);
        of.has_room.wait(lock, [&] { return of.waiting.size() < of.bound; });
        first = of.waiting.empty();
        of.waiting.push_back(one);
      }
      if (first) of.has_some.notify_one();
    }
    queue& of;
  };
  struct consumer {
    explicit consumer(queue& from) : of(from) {}
    /// Takes all at once: one lock for many.
    template <class Use>
    std::size_t take(const Use& use) {
      {
        std::unique_lock lock(of.mutex);
        of.has_some.wait(lock, [&] { return !of.waiting.empty(); });
        taken.swap(of.waiting);
      }
      of.has_room.notify_all();
      for (T& each : taken) use(each);
      const std::size_t count = taken.size();
      taken.clear();
      return count;
    }
    queue& of;
    std::deque<T> taken;
  };

  const std::size_t bound;
  std::mutex mutex;
  std::condition_variable has_room;
  std::condition_variable has_some;
  std::deque<T> waiting;
};

}  // namespace

rival mutex_deque() {
  return {"mutex + deque", "one lock per push, one swap of the whole deque per pop, notifies only when it was empty",
          &run_by_size<queue>, nullptr, 0.1};
}

}  // namespace bench
