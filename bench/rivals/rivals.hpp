#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/shape.hpp"

namespace bench {

/// Somebody else's way to do what a scenario does, configured as fast as its documentation says.
struct rival {
  const char* name;
  const char* how;                                     ///< how it is configured
  double (*rate)(const shape& of, std::size_t count);  ///< messages published per second; 0: something was lost
  bool (*can)(const shape& of);                        ///< null: every shape
  double size;                                         ///< how many messages a run takes, of ours
  [[nodiscard]] bool takes(const shape& of) const { return can == nullptr || can(of); }
};

/// Null where the machine lacks its package; `why` says which.
const rival* find_rival(const std::string& name);
/// All that were compiled in, and the packages of those that were not.
const std::vector<rival>& rivals();
std::vector<std::string> missing_packages();

// One file each.
rival raw_moodycamel();
rival tuned_moodycamel();
rival bulk_moodycamel();
rival mutex_deque();
rival mutex_deque_swapped();
rival readerwriterqueue();
rival napping_readerwriterqueue();
rival atomic_queue();
rival napping_atomic_queue();
rival boost_lockfree();
rival libzmq_inproc();
rival caf_actors();
rival nng_inproc();
rival nats();
rival iceoryx();
rival std_function();
rival boost_signals2();
rival sigcpp();

}  // namespace bench
