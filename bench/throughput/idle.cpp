#include "throughput/idle.hpp"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace bench {
namespace {

std::uint64_t switches_now() {
  std::uint64_t sum = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.find("voluntary_ctxt_switches:") == std::string::npos) continue;  // matches nonvoluntary_… too
      sum += std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10);
    }
  }
  return sum;
}

}  // namespace

double context_switches_per_second(double seconds) {
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(seconds);
  when.it_value.tv_nsec = static_cast<long>((seconds - static_cast<double>(when.it_value.tv_sec)) * 1e9);
  ::timerfd_settime(timer, 0, &when, nullptr);
  const std::uint64_t before = switches_now();
  pollfd until{timer, POLLIN, 0};
  ::poll(&until, 1, -1);
  const std::uint64_t after = switches_now();
  ::close(timer);
  // The observer's own sleep is one switch.
  return static_cast<double>(after - before - 1) / seconds;
}

}  // namespace bench
