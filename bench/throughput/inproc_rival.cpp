// Compiled with -O3, where GCC inlines enqueue (bench/check_inlined.sh looks): a crippled rival would flatter us.
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "inproc.hpp"

namespace bench {
namespace {

constexpr std::size_t drain_max = 256;
constexpr std::int64_t chunk = 4096;  // of `bound`; smaller bounds hand out what is there

template <class T>
struct alignas(128) lane {
  explicit lane(std::int64_t places) : queue(static_cast<std::size_t>(places)), free(places) {}
  moodycamel::ConcurrentQueue<T> queue;
  alignas(128) std::atomic<std::int64_t> free;
};

/// Takes a chunk of the bound; spins, then yields, as a careful user would.
template <class T>
std::int64_t take_credit(lane<T>& of) {
  for (int spins = 0;; ++spins) {
    std::int64_t free = of.free.load(std::memory_order_relaxed);
    while (free > 0) {
      const std::int64_t taken = free < chunk ? free : chunk;
      if (of.free.compare_exchange_weak(free, free - taken, std::memory_order_acquire)) return taken;
    }
    if (spins > 50) std::this_thread::yield();
  }
}

template <class T, class Use>
void consume(lane<T>& from, std::size_t count, Use use) {
  moodycamel::ConsumerToken token(from.queue);
  std::vector<T> batch(drain_max);
  for (std::size_t got = 0; got < count;) {
    const std::size_t some = from.queue.try_dequeue_bulk(token, batch.data(), drain_max);
    for (std::size_t i = 0; i != some; ++i) use(batch[i]);
    if (some != 0) from.free.fetch_add(static_cast<std::int64_t>(some), std::memory_order_release);
    if (some == 0) std::this_thread::yield();
    got += some;
  }
}

template <class T, class Make>
void produce_one(lane<T>& to, std::size_t count, Make make) {
  moodycamel::ProducerToken token(to.queue);
  std::int64_t credit = 0;
  for (std::size_t i = 0; i != count; ++i) {
    if (credit == 0) credit = take_credit(to);
    --credit;
    to.queue.enqueue(token, make(i));
  }
}

template <class T, class Make>
void produce_many(std::vector<std::unique_ptr<lane<T>>>& to, std::size_t count, Make make) {
  std::vector<moodycamel::ProducerToken> tokens;
  std::vector<std::int64_t> credit(to.size());
  for (auto& own : to) tokens.emplace_back(own->queue);
  for (std::size_t i = 0; i != count; ++i) {
    const T value = make(i);
    for (std::size_t s = 0; s != to.size(); ++s) {
      if (credit[s] == 0) credit[s] = take_credit(*to[s]);
      --credit[s];
      to[s]->queue.enqueue(tokens[s], value);
    }
  }
}

template <class T, class Make, class Use>
double run(std::size_t count, int publishers, int subscribers, std::int64_t places, Make make, Use use) {
  std::vector<std::unique_ptr<lane<T>>> lanes;
  for (int i = 0; i != subscribers; ++i) lanes.push_back(std::make_unique<lane<T>>(places));
  const std::size_t each = count / static_cast<std::size_t>(publishers);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (auto& own : lanes) {
    threads.emplace_back([&] { consume(*own, each * static_cast<std::size_t>(publishers), use); });
  }
  for (int p = 0; p != publishers; ++p) {
    threads.emplace_back(
        [&] { lanes.size() == 1 ? produce_one(*lanes[0], each, make) : produce_many(lanes, each, make); });
  }
  for (auto& one : threads) one.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return static_cast<double>(count) / took.count();
}

std::atomic<std::uint64_t> sink{0};

}  // namespace

double moodycamel_32(std::size_t count, int publishers, int subscribers) {
  return run<message_32>(
      count, publishers, subscribers, bound, [](std::size_t i) { return message_32{{i}}; },
      [sum = std::uint64_t{0}](const message_32& m) mutable {
        sum += m.words[0];
        if (sum == ~std::uint64_t{0}) sink.store(sum, std::memory_order_relaxed);
      });
}

double moodycamel_shared_4k(std::size_t count, int subscribers) {
  using shared = std::shared_ptr<const message_4k>;
  return run<shared>(
      count, 1, subscribers, large_bound,
      [](std::size_t i) { return std::make_shared<const message_4k>(message_4k{{i}}); },
      [sum = std::uint64_t{0}](shared& m) mutable {
        sum += m->words[0];
        if (sum == ~std::uint64_t{0}) sink.store(sum, std::memory_order_relaxed);
        m.reset();
      });
}

}  // namespace bench
