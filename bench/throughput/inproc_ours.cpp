#include <chrono>
#include <thread>
#include <vector>

#include <amphibus/bus.hpp>

#include "inproc.hpp"

namespace bench {
namespace {

constexpr amphibus::topic<message_32> small_topic{"bench.small"};
constexpr amphibus::topic<message_4k> large_topic{"bench.large"};

template <class T>
double run(const amphibus::topic<T>& topic, std::size_t count, int publishers, int subscribers, std::size_t capacity) {
  amphibus::bus bus;
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(subscribers) * 16);
  std::vector<amphibus::subscription> subscriptions;
  for (std::size_t i = 0; i != static_cast<std::size_t>(subscribers); ++i) {
    subscriptions.push_back(bus.subscribe(topic, {.capacity = capacity, .on = amphibus::dedicated},
                                          [&sum = sums[i * 16]](const T& m) { sum += m.words[0]; }));
  }
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int p = 0; p != publishers; ++p) {
    threads.emplace_back([&] {
      auto out = bus.publisher(topic);
      for (std::size_t i = 0; i != count / static_cast<std::size_t>(publishers); ++i) out.publish(T{{i}});
    });
  }
  for (auto& each : threads) each.join();
  const bool complete = bus.drain(std::chrono::minutes(1)).complete();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return complete ? static_cast<double>(count) / took.count() : 0;
}

}  // namespace

double ours_32(std::size_t count, int publishers, int subscribers) {
  return run(small_topic, count, publishers, subscribers, static_cast<std::size_t>(bound));
}

double ours_4k(std::size_t count, int subscribers) {
  return run(large_topic, count, 1, subscribers, static_cast<std::size_t>(large_bound));
}

}  // namespace bench
