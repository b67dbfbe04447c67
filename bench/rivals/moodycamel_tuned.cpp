// The same queue with what we learnt about it: blocks of 128, and our naps after a small pop, which keep the consumer
// off the cache line that the producer writes. -O3 as in moodycamel.cpp.
#include "rivals/moodycamel.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

struct large_blocks : moodycamel::ConcurrentQueueDefaultTraits {
  static constexpr std::size_t BLOCK_SIZE = 128;
};
template <class T>
using queue = napping<moodycamel_queue<T, large_blocks>>;
template <class T>
using fed_in_bulk = napping<moodycamel_queue<T, large_blocks, 64>>;

}  // namespace

rival tuned_moodycamel() {
  return {"moodycamel tuned",
          "as moodycamel, with blocks of 128 and naps as ours: 850 ns after a pop of fewer than 64, 2,550 of fewer "
          "than 256",
          &run_by_size<queue>, nullptr, 1};
}

rival bulk_moodycamel() {
  return {"moodycamel tuned, bulk", "as moodycamel tuned, with enqueue_bulk of 64", &run_by_size<fed_in_bulk>,
          [](const shape& of) { return of.bytes <= 256; }, 1};
}

}  // namespace bench
