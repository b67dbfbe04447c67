#include <amphibus/base/clock.hpp>

namespace amphibus::base {
namespace {

class machine_clock final : public clock {
 public:
  [[nodiscard]] time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  bool park_until(parker& where, time_point deadline) noexcept override { return where.park_until(deadline); }
};

}  // namespace

clock& steady_clock() noexcept {
  static machine_clock instance;
  return instance;
}

}  // namespace amphibus::base
