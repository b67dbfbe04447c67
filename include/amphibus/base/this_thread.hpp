#pragma once

#include <string>
#include <vector>

namespace amphibus::base {

/// Names the calling thread for debuggers and `top`: the first 15 bytes. Does nothing where threads have no names.
void name_this_thread(const std::string& name) noexcept;

/// The CPUs that this process may use, ascending; empty where the system does not say.
std::vector<int> usable_cpus();

/// Lets the calling thread run on these CPUs only; an empty list changes nothing. Returns: false if the system refuses.
bool pin_this_thread(const std::vector<int>& cpus) noexcept;

}  // namespace amphibus::base
