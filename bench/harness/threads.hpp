#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "harness/shape.hpp"

namespace bench {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Runs `publish(share)` in every publisher's thread and `consume(which, expected)` in every subscriber's, each of
/// which returns the sum of the first words that it saw. The clock stops when the last subscriber has all: what a
/// publisher waits for after that is not counted. Returns: messages published per second; 0 if a sum is wrong.
template <class Publish, class Consume>
double run_threads(const shape& of, std::size_t count, const Publish& publish, const Consume& consume) {
  const std::size_t publishers = static_cast<std::size_t>(of.publishers);
  const std::size_t subscribers = static_cast<std::size_t>(of.subscribers);
  const std::size_t share = count / publishers;
  std::vector<std::uint64_t> sums(subscribers * 16);
  std::vector<std::thread> consumers;
  std::vector<std::thread> producers;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t s = 0; s != subscribers; ++s) {
    consumers.emplace_back([&, s] { sums[s * 16] = consume(s, share * publishers); });
  }
  for (std::size_t p = 0; p != publishers; ++p) producers.emplace_back([&] { publish(share); });
  for (std::thread& each : consumers) each.join();
  const double took = seconds_since(start);
  for (std::thread& each : producers) each.join();
  for (std::size_t s = 0; s != subscribers; ++s) {
    if (sums[s * 16] != sum_of_share(share) * publishers) return 0;
  }
  return static_cast<double>(share * publishers) / took;
}

}  // namespace bench
