#include "harness/figure.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>

#include <unistd.h>

#include "harness/machine.hpp"

namespace bench {
namespace {

void tell_progress(const scenario& what, int pair, int pairs) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r\033[K%s against %s: pair %d of %d", what.name.c_str(), what.rival.c_str(), pair, pairs);
  if (pair == pairs) std::fprintf(stderr, "\r\033[K");
}

bool worked(double sample) { return std::isfinite(sample) && sample > 0; }

/// What failed is null.
std::string json_of(const std::vector<double>& values) {
  std::string out = "[";
  for (const double each : values) {
    char text[32] = "null";
    if (std::isfinite(each)) std::snprintf(text, sizeof text, "%.6g", each);
    out += (out.size() == 1 ? "" : ", ") + std::string(text);
  }
  return out + "]";
}

/// [[share, nanoseconds], …] up to 99.99 %, as far as ten times lie beyond.
std::string percentiles_of(const histogram& times) {
  std::string out = "[";
  for (const double share : {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999}) {
    if (static_cast<double>(times.count()) * (1 - share) < 9.5) break;
    char text[48];
    std::snprintf(text, sizeof text, "%s[%g, %.0f]", out.size() == 1 ? "" : ", ", share, times.at(share));
    out += text;
  }
  return out + "]";
}

std::string json_of(const figure& one) {
  const scenario& of = one.of;
  char numbers[256];
  std::snprintf(numbers, sizeof numbers,
                "\"less_is_better\": %s, \"target\": %g, \"ratio\": %.4f, \"ratio_low\": %.4f, \"ratio_high\": %.4f, "
                "\"reached\": %s",
                of.less_is_better ? "true" : "false", of.target, std::min(one.outcome(), 1e12),
                std::min(quantile(one.ratios(), 0.25), 1e12), std::min(quantile(one.ratios(), 0.75), 1e12),
                one.reaches_target() ? "true" : "false");
  std::string times;
  if (of.ours_times) times += ",\n   \"ours_percentiles\": " + percentiles_of(*of.ours_times);
  if (of.rival_times) times += ",\n   \"rival_percentiles\": " + percentiles_of(*of.rival_times);
  return "{\"scenario\": " + quoted(of.name) + ", \"ours\": " + quoted(of.ours) + ", \"rival\": " + quoted(of.rival) +
         ", \"how\": " + quoted(of.how) + ", \"unit\": " + quoted(of.unit) + ", " + numbers +
         ",\n   \"ours_samples\": " + json_of(one.ours) + ",\n   \"rival_samples\": " + json_of(one.rival) + times +
         "}";
}

}  // namespace

double quantile(std::vector<double> of, double share) {
  if (of.empty()) return 0;
  std::sort(of.begin(), of.end());
  return of[static_cast<std::size_t>(share * static_cast<double>(of.size() - 1) + 0.5)];
}

std::vector<double> figure::ratios() const {
  std::vector<double> out;
  // What failed, on either side, must not look good.
  const double failed = of.less_is_better ? std::numeric_limits<double>::infinity() : 0;
  for (std::size_t i = 0; i != rival.size(); ++i)
    out.push_back(worked(ours[i]) && worked(rival[i]) ? ours[i] / rival[i] : failed);
  return out;
}

double figure::outcome() const { return of.run_rival ? quantile(ratios(), 0.5) : quantile(ours, 0.5); }

bool figure::reaches_target() const {
  if (of.target == 0) return true;
  const double got = outcome();
  return of.less_is_better ? got <= of.target : got >= of.target;
}

figure measure(const scenario& what, int pairs) {
  figure out{what, {}, {}};
  pairs = std::min(pairs, what.pairs_max);
  // Not counted: pages, caches and the clock of the cores settle.
  if (what.run_rival) {
    what.run_ours();
    what.run_rival();
  }
  if (what.ours_times) what.ours_times->clear();
  if (what.rival_times) what.rival_times->clear();
  for (int i = 0; i != pairs; ++i) {
    tell_progress(what, i + 1, pairs);
    const bool we_begin = i % 2 == 0;
    if (we_begin) out.ours.push_back(what.run_ours());
    if (what.run_rival) out.rival.push_back(what.run_rival());
    if (!we_begin) out.ours.push_back(what.run_ours());
  }
  return out;
}

void print(const figure& one) {
  const scenario& of = one.of;
  const bool rates = of.unit == "messages/s" || of.unit == "calls/s";
  const bool thousands = rates && quantile(one.ours, 0.5) < 1e5;  // of large messages
  const double scale = thousands ? 1e-3 : rates ? 1e-6 : 1;
  const std::string unit = thousands ? "k/s" : rates ? "M/s" : of.unit;
  if (of.run_rival) {
    std::printf("%-26s %-16s %9.2f %-4s %-22s %9.2f   ratio %7.2f (%.2f to %.2f)", of.name.c_str(), of.ours.c_str(),
                quantile(one.ours, 0.5) * scale, unit.c_str(), of.rival.c_str(), quantile(one.rival, 0.5) * scale,
                one.outcome(), quantile(one.ratios(), 0.25), quantile(one.ratios(), 0.75));
  } else {
    std::printf("%-26s %-16s %9.2f %-4s", of.name.c_str(), of.ours.c_str(), one.outcome() * scale, unit.c_str());
  }
  if (of.target == 0) {
    std::printf("  reported\n");
  } else {
    std::printf("  %s %g  %s\n", of.less_is_better ? "<=" : ">=", of.target,
                one.reaches_target() ? "ok" : "FALLS SHORT");
  }
  std::fflush(stdout);
}

bool write_json(const std::vector<figure>& all, const std::string& command, const std::string& path) {
  std::ofstream out(path);
  out << "{\"machine\": " << machine_json() << ",\n \"command\": " << quoted(command) << ",\n \"figures\": [";
  const char* separator = "\n  ";
  for (const figure& each : all) {
    out << separator << json_of(each);
    separator = ",\n  ";
  }
  out << "]}\n";
  return static_cast<bool>(out);
}

}  // namespace bench
