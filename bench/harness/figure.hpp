#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/histogram.hpp"

namespace bench {

/// One comparison to make: two ways to do the same, which are run in turn.
struct scenario {
  std::string name;   ///< e.g. inproc/1p1c/32B
  std::string ours;   ///< which of our ways, e.g. publisher
  std::string rival;  ///< whose, e.g. moodycamel
  std::string how;    ///< how the rival is configured
  std::string unit = "messages/s";
  bool less_is_better = false;  ///< a time or a cost
  double target = 0;  ///< what the ratio ours / rival has to reach, or with less_is_better not to exceed; 0: reported
  int pairs_max = 1000;                             ///< where one run takes long
  std::shared_ptr<histogram> ours_times = nullptr;  ///< of single messages, over all runs
  std::shared_ptr<histogram> rival_times = nullptr;
  std::function<double()> run_ours;   ///< what fails is 0 or infinite
  std::function<double()> run_rival;  ///< the same; null: a figure on its own
};

/// What came out, pair by pair.
struct figure {
  scenario of;
  std::vector<double> ours;
  std::vector<double> rival;
  [[nodiscard]] std::vector<double> ratios() const;
  /// Median of the pairs' ratios; the figure itself where there is no rival.
  [[nodiscard]] double outcome() const;
  [[nodiscard]] bool reaches_target() const;
};

/// The value below which `share` of them lie; 0 of none.
double quantile(std::vector<double> of, double share);

/// Runs `pairs` pairs, ours and theirs taking turns at going first, after one of each to warm up. Tells its progress on
/// stderr where that is a terminal.
figure measure(const scenario& what, int pairs);

/// One line for a person.
void print(const figure& one);

/// The machine's facts and all figures with every sample. Returns: false if the file cannot be written.
bool write_json(const std::vector<figure>& all, const std::string& command, const std::string& path);

}  // namespace bench
