#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
namespace amphibus::base {

/// What a fault point does to the thing that passes it.
enum class fault_action : std::uint8_t {
  none,       ///< pass
  lose,       ///< forget it
  duplicate,  ///< let it pass twice
  swap,       ///< exchange it with the next one
};

/// Decides at named points of the library whether something goes wrong; nullptr everywhere means nothing ever does.
///
/// Given to a transport through its options; amphibus::testing::fault_points is the one to use.
/// Thread: safe. Lifetime: outlives what it was given to.
class fault_hook {
 public:
  fault_hook() = default;
  fault_hook(const fault_hook&) = delete;
  fault_hook& operator=(const fault_hook&) = delete;
  virtual ~fault_hook() = default;
  /// Asked once per message that passes `point`.
  virtual fault_action at(const char* point) noexcept = 0;
};

}  // namespace amphibus::base
#pragma GCC visibility pop
