#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <chrono>

#include <vector>

#include <amphibus/base/pause.hpp>

#include "rivals/queues.hpp"

namespace bench {

/// moodycamel's queue as its README says it is fastest: a token on each side, pops in bulk. With `Naps` it waits
/// after a small pop, as ours does.
template <class T, class Traits, bool Naps>
struct moodycamel_queue {
  using queue_type = moodycamel::ConcurrentQueue<T, Traits>;
  explicit moodycamel_queue(std::int64_t bound) : queue(static_cast<std::size_t>(bound)), room(bound) {}

  struct producer {
    explicit producer(moodycamel_queue& to) : of(to), token(to.queue) {}
    void push(const T& one) {
      if (credit == 0) credit = of.room.take();
      --credit;
      of.queue.enqueue(token, one);
    }
    moodycamel_queue& of;
    moodycamel::ProducerToken token;
    std::int64_t credit = 0;
  };
  struct consumer {
    static constexpr std::size_t drain_max = 256;
    explicit consumer(moodycamel_queue& from) : of(from), token(from.queue), batch(drain_max) {}
    template <class Use>
    std::size_t take(const Use& use) {
      const std::size_t count = of.queue.try_dequeue_bulk(token, batch.data(), drain_max);
      for (std::size_t i = 0; i != count; ++i) use(batch[i]);
      if (count != 0) of.room.give_back(count);
      if constexpr (Naps) {
        const auto nap = std::chrono::nanoseconds(count < drain_max / 4 ? 850 : 3 * 850);
        if (count != 0 && count < drain_max) amphibus::base::pause(amphibus::base::pauses_in(nap));
      }
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
