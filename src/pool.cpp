#include <amphibus/pool.hpp>

#include <utility>

namespace amphibus {

bool operator==(const pool_options& a, const pool_options& b) {
  return a.threads == b.threads && a.cpus == b.cpus && a.spin == b.spin && a.priorities == b.priorities &&
         a.passed_over_max == b.passed_over_max;
}

pool::pool(std::shared_ptr<detail::executor_core> core) noexcept : core_(std::move(core)) {}

const std::string& pool::name() const noexcept { return core_->name(); }

}  // namespace amphibus
