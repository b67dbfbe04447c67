#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <vector>

#include "rivals/queues.hpp"

namespace bench {

/// moodycamel's queue as its README says it is fastest: a token on each side, pops in bulk. A producer enqueues
/// `AtOnce` messages at a time.
template <class T, class Traits, std::size_t AtOnce = 1>
struct moodycamel_queue {
  using queue_type = moodycamel::ConcurrentQueue<T, Traits>;
  explicit moodycamel_queue(std::int64_t bound) : queue(static_cast<std::size_t>(bound)), room(bound) {}

  struct producer {
    explicit producer(moodycamel_queue& to) : of(to), token(to.queue) {}
    ~producer() {
      if constexpr (AtOnce != 1) flush();
    }
    producer(const producer&) = delete;
    producer& operator=(const producer&) = delete;
    void push(const T& one) {
      if (credit == 0) credit = of.room.take();
      --credit;
      if constexpr (AtOnce == 1) {
        of.queue.enqueue(token, one);
      } else {
        together[waiting++] = one;
        if (waiting == AtOnce || credit == 0) flush();  // before it waits for room
      }
    }
    void flush() { of.queue.enqueue_bulk(token, together, std::exchange(waiting, 0)); }
    moodycamel_queue& of;
    moodycamel::ProducerToken token;
    std::int64_t credit = 0;
    std::size_t waiting = 0;
    T together[AtOnce];
  };
  struct consumer {
    explicit consumer(moodycamel_queue& from) : of(from), token(from.queue), batch(drain_max) {}
    template <class Use>
    std::size_t take(const Use& use) {
      const std::size_t count = of.queue.try_dequeue_bulk(token, batch.data(), drain_max);
      for (std::size_t i = 0; i != count; ++i) use(batch[i]);
      if (count != 0) of.room.give_back(count);
      return count;
    }
    moodycamel_queue& of;
    moodycamel::ConsumerToken token;
    std::vector<T> batch;
  };

  queue_type queue;
  places room;
};

}  // namespace bench
