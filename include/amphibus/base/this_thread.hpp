#pragma once

#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Names the calling thread for debuggers and `top`: the first 15 bytes. Does nothing where threads have no names.
void name_this_thread(const std::string& name) noexcept;

/// Keeps signals that are sent to the process away from the calling thread, which could not go on with an interrupted
/// call; those that a fault of its own raises still come.
void block_signals_in_this_thread() noexcept;

/// The CPUs that this process may use, ascending; empty where the system does not say.
std::vector<int> usable_cpus();

/// Lets the calling thread run on these CPUs only; an empty list changes nothing. Returns: false if the system refuses.
bool pin_this_thread(const std::vector<int>& cpus) noexcept;

}  // namespace amphibus::base
#pragma GCC visibility pop
