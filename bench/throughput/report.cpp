#include "report.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include <amphibus/base/barrier.hpp>

namespace bench {
namespace {

double quantile(std::vector<double> of, double at) {
  std::sort(of.begin(), of.end());
  return of[static_cast<std::size_t>(at * static_cast<double>(of.size() - 1) + 0.5)];
}

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string machine() {
  utsname system{};
  ::uname(&system);
  const bool membarrier = amphibus::base::current_barrier_mode() == amphibus::base::barrier_mode::membarrier;
  std::ostringstream out;
  out << "{\"cpu\": \"" << cpu_name() << "\", \"cores\": " << std::thread::hardware_concurrency() << ", \"kernel\": \""
      << system.release << "\", \"compiler\": \"" << __VERSION__ << "\", \"barrier\": \""
      << (membarrier ? "membarrier" : "fence") << "\"}";
  return out.str();
}

}  // namespace

row compare(std::string name, std::string rival, int pairs, const std::function<double()>& ours,
            const std::function<double()>& theirs) {
  std::vector<double> own;
  std::vector<double> other;
  std::vector<double> ratios;
  for (int i = 0; i != pairs; ++i) {
    own.push_back(ours());
    other.push_back(theirs());
    ratios.push_back(other.back() > 0 ? own.back() / other.back() : 0);
  }
  return {std::move(name),      std::move(rival),      quantile(own, 0.5),
          quantile(other, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.75) - quantile(ratios, 0.25)};
}

void print(const row& one) {
  std::printf("%-24s %10.2f M/s   %-26s %10.2f M/s   ratio %6.2f  spread %5.2f\n", one.name.c_str(),
              one.ours_per_s / 1e6, one.rival.c_str(), one.rival_per_s / 1e6, one.ratio, one.spread);
  std::fflush(stdout);
}

void print(const check& one) {
  std::printf("%-58s %12.3f %-22s %s %g  %s\n", one.name.c_str(), one.value, one.unit.c_str(),
              one.at_least ? ">=" : "<=", one.limit, one.ok() ? "ok" : "FALLS SHORT");
  std::fflush(stdout);
}

bool write_json(const report& all, const std::string& path) {
  std::ofstream out(path);
  out << "{\"machine\": " << machine() << ",\n \"rows\": [";
  const char* separator = "\n  ";
  for (const row& each : all.rows) {
    out << separator << "{\"name\": \"" << each.name << "\", \"ours_per_s\": " << each.ours_per_s << ", \"rival\": \""
        << each.rival << "\", \"rival_per_s\": " << each.rival_per_s << ", \"ratio\": " << each.ratio
        << ", \"spread\": " << each.spread << "}";
    separator = ",\n  ";
  }
  out << "],\n \"checks\": [";
  separator = "\n  ";
  for (const check& each : all.checks) {
    out << separator << "{\"name\": \"" << each.name << "\", \"value\": " << each.value << ", \"limit\": " << each.limit
        << ", \"unit\": \"" << each.unit << "\", \"ok\": " << (each.ok() ? "true" : "false") << "}";
    separator = ",\n  ";
  }
  out << "]}\n";
  return static_cast<bool>(out);
}

}  // namespace bench
