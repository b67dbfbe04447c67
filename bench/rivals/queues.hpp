#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <amphibus/base/pause.hpp>
#include <amphibus/base/words.hpp>

#include "harness/threads.hpp"

namespace bench {

/// The places of one bounded queue, taken in chunks as a careful user would: an atomic per message would cost more than
/// the queue.
class places {
 public:
  explicit places(std::int64_t bound) : bound_(bound), free_(bound) {}
  /// Waits for a chunk: spins, then yields.
  std::int64_t take() {
    const std::int64_t chunk = std::clamp<std::int64_t>(bound_ / 8, 1, 4096);
    for (int spins = 0;; ++spins) {
      std::int64_t free = free_.load(std::memory_order_relaxed);
      while (free > 0) {
        const std::int64_t taken = std::min(free, chunk);
        if (free_.compare_exchange_weak(free, free - taken, std::memory_order_acquire)) return taken;
      }
      if (spins > 50) std::this_thread::yield();
    }
  }
  void give_back(std::size_t count) { free_.fetch_add(static_cast<std::int64_t>(count), std::memory_order_release); }

 private:
  const std::int64_t bound_;
  alignas(128) std::atomic<std::int64_t> free_;
};

/// What a consumer takes at once, at most, where its queue lets it choose.
inline constexpr std::size_t drain_max = 256;

/// A queue of T per subscriber, fed by hand: what one writes without a bus.
///
/// `Queue` has a constructor of its bound; `producer` of the queue with push(const T&), which waits for room;
/// `consumer` of the queue with take(use), which calls use(T&) for some and returns how many. `make(i)` is message i;
/// `first_word` reads it. Returns: as run_threads().
template <class Queue, class Make, class FirstWord>
double run_queues(const shape& of, std::size_t count, const Make& make, const FirstWord& first_word) {
  std::vector<std::unique_ptr<Queue>> queues;
  for (int i = 0; i != of.subscribers; ++i) queues.push_back(std::make_unique<Queue>(of.bound));
  const auto publish = [&](std::size_t share) {
    if (queues.size() == 1) {  // nobody writes a loop over one queue
      typename Queue::producer only(*queues[0]);
      for (std::size_t i = 0; i != share; ++i) only.push(make(i));
      return;
    }
    std::vector<std::unique_ptr<typename Queue::producer>> to;
    for (auto& each : queues) to.push_back(std::make_unique<typename Queue::producer>(*each));
    for (std::size_t i = 0; i != share; ++i) {
      const auto one = make(i);
      for (auto& each : to) each->push(one);
    }
  };
  const auto consume = [&](std::size_t which, std::size_t expected) {
    typename Queue::consumer from(*queues[which]);
    std::uint64_t sum = 0;
    for (std::size_t got = 0; got < expected;) {
      const std::size_t some = from.take([&](auto& one) { sum += first_word(one); });
      if (some == 0) std::this_thread::yield();
      got += some;
    }
    return sum;
  };
  return run_threads(of, count, publish, consume);
}

/// The same queue with a consumer that waits after a small pop, as ours does: it stays off the lines that the producer
/// writes.
template <class Queue>
struct napping : Queue {
  using Queue::Queue;
  struct consumer : Queue::consumer {
    using Queue::consumer::consumer;
    template <class Use>
    std::size_t take(const Use& use) {
      const std::size_t count = Queue::consumer::take(use);
      const auto nap = std::chrono::nanoseconds(count < drain_max / 4 ? 850 : 3 * 850);
      if (count != 0 && count < drain_max) amphibus::base::pause(amphibus::base::pauses_in(nap));
      return count;
    }
  };
};

/// A message that is copied word by word.
///
/// A copy of 16 bytes at a time, which GCC makes of the plain struct, cannot be forwarded from the two stores of 8
/// bytes that just wrote it: it waits until every store before has reached the cache, that is for the other core's
/// lines. In one process that makes any of these queues six times slower (measured), and a careful user would find out.
template <class Message>
struct carried {
  Message value{};
  carried() = default;
  explicit carried(std::uint64_t number) noexcept { value.words[0] = number; }
  carried(const carried& from) noexcept { copy(from); }
  carried& operator=(const carried& from) noexcept { return copy(from), *this; }
  void copy(const carried& from) noexcept {
    for (std::size_t i = 0; i != value.words.size(); ++i) value.words[i] = amphibus::base::apart(from.value.words[i]);
  }
};

/// The same with messages by value where they are small, and one shared_ptr for all subscribers where they are not.
template <template <class> class Queue>
double run_by_size(const shape& of, std::size_t count) {
  return with_size(of.bytes, [&]<class Message>() {
    if constexpr (sizeof(Message) <= 256) {
      using copied = carried<Message>;
      return run_queues<Queue<copied>>(
          of, count, [](std::size_t i) { return copied(i); }, [](const copied& m) { return m.value.words[0]; });
    } else {
      using shared = std::shared_ptr<const Message>;
      return run_queues<Queue<shared>>(
          of, count,
          [](std::size_t i) {
            static thread_local const auto one = std::make_unique<Message>();  // there before, as in ours
            one->words[0] = i;
            return std::make_shared<const Message>(*one);
          },
          [](shared& m) {
            const std::uint64_t word = m->words[0];
            m.reset();
            return word;
          });
    }
  });
}

}  // namespace bench
