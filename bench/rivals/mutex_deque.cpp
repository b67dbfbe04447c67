// The queue that most programs have: a deque, a mutex and two condition variables.
#include <condition_variable>
#include <deque>
#include <mutex>

#include "rivals/queues.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

template <class T, bool AllAtOnce>
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
    template <class Use>
    std::size_t take(const Use& use) {
      if constexpr (AllAtOnce) {
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
      } else {
        std::unique_lock lock(of.mutex);
        of.has_some.wait(lock, [&] { return !of.waiting.empty(); });
        T one = std::move(of.waiting.front());
        of.waiting.pop_front();
        const bool was_full = of.waiting.size() + 1 == of.bound;
        lock.unlock();
        if (was_full) of.has_room.notify_all();
        use(one);
        return 1;
      }
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

template <class T>
using one_by_one = queue<T, false>;
template <class T>
using all_at_once = queue<T, true>;

}  // namespace

rival mutex_deque() {
  return {"mutex + deque", "a lock per push and per pop, notifies only when it was empty or full",
          &run_by_size<one_by_one>, nullptr, 0.1};
}

rival mutex_deque_swapped() {
  return {"mutex + deque, swapped",
          "a lock per push, one swap of the whole deque per pop, notifies only when it was empty",
          &run_by_size<all_at_once>, nullptr, 0.25};
}

}  // namespace bench
