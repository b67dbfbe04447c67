#include <amphibus/testing/fault_points.hpp>

#include <amphibus/base/assert.hpp>

namespace amphibus::testing {

void fault_points::arm(const std::string& point, base::fault_action action, std::uint64_t every) {
  AMPHIBUS_ASSERT(every >= 1, "fault_points::arm: every is 1 or more");
  const std::lock_guard lock(mutex_);
  armed_[point] = {action, every};
}

void fault_points::disarm(const std::string& point) {
  const std::lock_guard lock(mutex_);
  armed_.erase(point);
}

std::uint64_t fault_points::passes(const std::string& point) const {
  const std::lock_guard lock(mutex_);
  const auto found = armed_.find(point);
  return found == armed_.end() ? 0 : found->second.passes;
}

base::fault_action fault_points::at(const char* point) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = armed_.find(std::string_view(point));
  if (found == armed_.end()) return base::fault_action::none;
  return ++found->second.passes % found->second.every == 0 ? found->second.action : base::fault_action::none;
}

}  // namespace amphibus::testing
