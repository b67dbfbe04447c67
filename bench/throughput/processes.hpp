#pragma once

#include <string>
#include <vector>

#include "harness/figure.hpp"
#include "harness/shape.hpp"

namespace bench {

/// Roles that this executable plays when the harness starts it again; returns the exit code.
int play_role(int argc, char** argv);

/// Everything between processes, and what an idle bus costs. `effort`: 1 is the whole, 0.25 a quick look.
std::vector<scenario> process_scenarios(double effort);

/// Messages per second at the receiver, from its first to its last message; two processes, nothing may be lost.
double ours_zeromq(const std::string& transport, std::size_t count);
double ours_large(const std::string& transport, std::size_t count);
/// `role`: raw (a message per frame), batched (by hand, 64 KiB per frame), large (1 MiB).
double raw_libzmq(const std::string& role, const std::string& transport, std::size_t count);

/// There and back, 1,000 a second by the clock; adds to `all`. Returns: the median in nanoseconds.
double ours_round_trip(const std::string& transport, std::size_t count, histogram& all);
double raw_round_trip(const std::string& transport, std::size_t count, histogram& all);

/// A feeder paced at 100,000 messages/s with a local subscriber on a drop_newest route.
struct paced_result {
  double rate = 0;  ///< accepted messages/s
  double lost_locally = 0;
  double refused = 0;
  double cpu_ns_per_message = 0;  ///< of the publishing thread
};
/// `flat_out`: not paced. With three remote subscribers one of them is stopped (SIGSTOP) in the middle.
paced_result paced(int remote_subscribers, bool flat_out, double seconds);

/// Context switches per peer and second of two connected, idle processes.
double connected_idle(double seconds);

}  // namespace bench
