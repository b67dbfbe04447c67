#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include <amphibus/base/fault.hpp>

#pragma GCC visibility push(default)
namespace amphibus::testing {

/// Faults on purpose: arm a point, hand the object to what has it (e.g. zeromq::options::faults).
///
/// Points: "zeromq.deliver": a received message, behind the sequence check (lose, duplicate, swap).
/// Thread: safe. Lifetime: outlives what it was given to.
class fault_points final : public base::fault_hook {
 public:
  /// From now on every `every`-th pass of `point` does `action`. `every` >= 1.
  void arm(const std::string& point, base::fault_action action, std::uint64_t every = 1);
  void disarm(const std::string& point);
  /// How often `point` was passed since it was armed.
  [[nodiscard]] std::uint64_t passes(const std::string& point) const;

  base::fault_action at(const char* point) noexcept override;

 private:
  struct armed {
    base::fault_action action;
    std::uint64_t every;
    std::uint64_t passes = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, armed, std::less<>> armed_;
};

}  // namespace amphibus::testing
#pragma GCC visibility pop
