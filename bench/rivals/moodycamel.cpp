// Compiled with -O3, where GCC inlines enqueue (bench/check_inlined.sh looks): a crippled rival would flatter us.
#include "rivals/moodycamel.hpp"

#include "rivals/rivals.hpp"

namespace bench {
namespace {

template <class T>
using queue = moodycamel_queue<T, moodycamel::ConcurrentQueueDefaultTraits>;

}  // namespace

rival raw_moodycamel() {
  return {"moodycamel", "a token per side, enqueue one by one inlined, try_dequeue_bulk of 256, polls with yield",
          &run_by_size<queue>, nullptr, 1};
}

}  // namespace bench
