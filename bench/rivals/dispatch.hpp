#pragma once

#include <cstddef>

#include "harness/threads.hpp"

namespace bench {

/// What every handler of the dispatch scenarios does: too much for the compiler to see through, too little to measure.
struct adder {
  std::uint64_t* sum;
  void operator()(const message<32>& m) const { *sum += m.words[0]; }
};

/// Calls `call(m)`, which reaches every handler, `count` times. Returns: calls per second.
template <class Call>
double call_many(std::size_t count, const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i != count; ++i) call(message<32>{{i}});
  return static_cast<double>(count) / seconds_since(start);
}

}  // namespace bench
