#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One comparison: medians of interleaved pairs, ours and the rival's in turn.
struct row {
  std::string name;
  std::string rival;
  double ours_per_s = 0;
  double rival_per_s = 0;
  double ratio = 0;   ///< median of the pairs' ratios
  double spread = 0;  ///< interquartile range of the pairs' ratios
};

/// One figure with a limit.
struct check {
  std::string name;
  double value = 0;
  double limit = 0;
  bool at_least = false;  ///< else at most
  std::string unit;
  [[nodiscard]] bool ok() const noexcept { return at_least ? value >= limit : value <= limit; }
};

struct report {
  std::vector<row> rows;
  std::vector<check> checks;
};

/// Runs both `pairs` times in turn; each returns operations per second.
row compare(std::string name, std::string rival, int pairs, const std::function<double()>& ours,
            const std::function<double()>& theirs);

void print(const row& one);
void print(const check& one);
/// Returns: false if the file cannot be written.
bool write_json(const report& all, const std::string& path);

}  // namespace bench
