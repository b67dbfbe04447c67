#include "harness/machine.hpp"

#include <sys/utsname.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#include <amphibus/base/barrier.hpp>

namespace bench {
namespace {

std::string first_line(const char* path, const char* beginning = "") {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(beginning)) continue;
    const auto colon = *beginning == '\0' ? std::string::npos : line.find(": ");
    return colon == std::string::npos ? line : line.substr(colon + 2);
  }
  return "unknown";
}

/// The first line that a command prints.
std::string told_by(const char* command) {
  std::FILE* const from = ::popen(command, "r");
  if (from == nullptr) return "unknown";
  char text[1024] = "";
  const bool told = std::fgets(text, sizeof text, from) != nullptr;
  ::pclose(from);
  std::string out = told ? text : "unknown";
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

/// In one line, of those that are installed.
constexpr const char* rival_versions =
    "dpkg-query -W -f '${Package} ${Version}, ' libconcurrentqueue-dev libreaderwriterqueue-dev libatomic-queue-dev "
    "libboost-dev libsigc++-3.0-dev libcaf-dev libnng-dev libzmq3-dev nats-server libiceoryx-posh-dev 2>/dev/null | "
    "sed 's/, $//'";

std::string today() {
  char text[16];
  const std::time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    out += static_cast<unsigned char>(each) < 0x20 ? ' ' : each;
  }
  return out + "\"";
}

std::string machine_json() {
  utsname system{};
  ::uname(&system);
  const bool membarrier = amphibus::base::current_barrier_mode() == amphibus::base::barrier_mode::membarrier;
  return "{\"date\": " + quoted(today()) + ", \"cpu\": " + quoted(first_line("/proc/cpuinfo", "model name")) +
         ", \"cores\": " + std::to_string(std::thread::hardware_concurrency()) +
         ", \"governor\": " + quoted(first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) +
         ", \"kernel\": " + quoted(system.release) + ", \"compiler\": " + quoted("GCC " __VERSION__) +
         ", \"flags\": " + quoted(BENCH_FLAGS) +
         ", \"commit\": " + quoted(told_by("git -C " BENCH_SOURCE " describe --always --dirty 2>/dev/null")) +
         ", \"barrier\": " + quoted(membarrier ? "membarrier" : "fence") +
         ", \"rivals\": " + quoted(told_by(rival_versions)) + "}";
}

}  // namespace bench
