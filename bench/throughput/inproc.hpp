#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

struct message_32 {
  std::array<std::uint64_t, 4> words;
};
struct message_4k {
  std::array<std::uint64_t, 512> words;
};

/// Messages in flight, on both sides of every comparison.
inline constexpr std::int64_t bound = 32'768;
inline constexpr std::int64_t large_bound = 256;

/// Messages per second through a bus: `publishers` threads, `subscribers` dedicated subscriptions.
double ours_32(std::size_t count, int publishers, int subscribers);
double ours_4k(std::size_t count, int subscribers);
/// The same over raw moodycamel queues: a token each, single enqueue, try_dequeue_bulk of 256, the same bound.
double moodycamel_32(std::size_t count, int publishers, int subscribers);
/// make_shared and a queue of shared_ptr: what one writes without a pool.
double moodycamel_shared_4k(std::size_t count, int subscribers);

}  // namespace bench
