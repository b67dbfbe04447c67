#include "rivals/rivals.hpp"

#include <algorithm>

namespace bench {

const std::vector<rival>& rivals() {
  static const std::vector<rival> all{
      raw_moodycamel(),
      tuned_moodycamel(),
      bulk_moodycamel(),
      mutex_deque(),
      mutex_deque_swapped(),
      libzmq_inproc(),
      std_function(),
#ifdef BENCH_WITH_readerwriterqueue
      readerwriterqueue(),
      napping_readerwriterqueue(),
#endif
#ifdef BENCH_WITH_atomic_queue
      atomic_queue(),
      napping_atomic_queue(),
#endif
#ifdef BENCH_WITH_boost
      boost_lockfree(),
      boost_signals2(),
#endif
#ifdef BENCH_WITH_sigcpp
      sigcpp(),
#endif
#ifdef BENCH_WITH_caf
      caf_actors(),
#endif
#ifdef BENCH_WITH_nng
      nng_inproc(),
#endif
#ifdef BENCH_WITH_nats
      nats(),
#endif
#ifdef BENCH_WITH_iceoryx
      iceoryx(),
#endif
  };
  return all;
}

std::vector<std::string> missing_packages() {
  return {
#ifndef BENCH_WITH_readerwriterqueue
      "libreaderwriterqueue-dev",
#endif
#ifndef BENCH_WITH_atomic_queue
      "libatomic-queue-dev",
#endif
#ifndef BENCH_WITH_boost
      "libboost-dev",
#endif
#ifndef BENCH_WITH_sigcpp
      "libsigc++-3.0-dev",
#endif
#ifndef BENCH_WITH_caf
      "libcaf-dev",
#endif
#ifndef BENCH_WITH_nng
      "libnng-dev",
#endif
#ifndef BENCH_WITH_nats
      "libnats-dev nats-server",
#endif
#ifndef BENCH_WITH_iceoryx
      "libiceoryx-posh-dev libacl1-dev",
#endif
  };
}

const rival* find_rival(const std::string& name) {
  const auto& all = rivals();
  const auto found = std::find_if(all.begin(), all.end(), [&](const rival& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace bench
