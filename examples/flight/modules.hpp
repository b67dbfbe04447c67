#pragma once

#include <chrono>
#include <string>

#include <amphibus/base/clock.hpp>
#include <amphibus/module.hpp>

#include "replayer.hpp"

/// The roles; each is one file and knows the others only by their messages.
namespace flight {

/// What the command line says after `--`.
struct settings {
  std::string data;                                               ///< path of the log
  speed at = speed::full;                                         ///< of the replay
  std::chrono::nanoseconds length = log_span_max;                 ///< replay only the first part of the log
  std::string sabotage;                                           ///< lose, dup, swap or empty
  amphibus::base::clock* time = &amphibus::base::steady_clock();  ///< the same for who stamps and who measures
};

void start_replayer(amphibus::module& m, const settings& with);
void start_watcher(amphibus::module& m);
void start_monitor(amphibus::module& m, const settings& with);

/// What a role that publishes says when its streams are over; the demo compares it with what the monitor says.
void print_sent(std::string_view topic, std::uint32_t count, std::uint64_t digest);

}  // namespace flight
