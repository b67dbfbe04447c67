#include "throughput/processes.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <limits>

#include <unistd.h>

#include <amphibus/app/supervise.hpp>

#include "harness/scratch.hpp"

namespace bench {
namespace {

std::string endpoint(const std::string& transport, const std::string& directory, const std::string& name) {
  if (transport == "ipc") return "ipc://" + directory + "/" + name;
  // Below the ephemeral range and different from run to run.
  static int port = 12'000 + static_cast<int>(::getpid()) % 5'000;
  return "tcp://127.0.0.1:" + std::to_string(++port);
}

/// A file with one process per module.
std::string write_config(const scratch& in, const std::string& transport, const std::vector<std::string>& modules,
                         const std::string& overflow) {
  const std::string path = in.path() + "/bench.toml";
  std::ofstream out(path);
  for (const std::string& each : modules) {
    out << "[process." << each << "]\nmodules = [\"" << each << "\"]\nendpoint = \""
        << endpoint(transport, in.path(), each) << "\"\n";
  }
  out << "[[route]]\ntopic = \"bench.>\"\ntransport = \"zeromq\"\noverflow = \"" << overflow << "\"\n";
  return path;
}

std::vector<amphibus::supervised_process> module_commands(const std::string& config,
                                                          const std::vector<std::string>& modules,
                                                          const std::string& what, std::size_t count, double seconds) {
  std::vector<amphibus::supervised_process> out;
  std::string all;
  for (const std::string& each : modules) all += each + ",";
  for (const std::string& each : modules) {
    out.push_back({each,
                   {"/proc/self/exe", "role", "--config", config, "--process", each, "--", what, std::to_string(count),
                    std::to_string(seconds), all}});
  }
  return out;
}

double rate_of(const std::vector<amphibus::supervised_process>& processes) {
  double rate = 0;
  amphibus::supervise_options options;
  options.deadline = std::chrono::minutes(2);
  options.on_line = [&](const std::string& name, const std::string& line) {
    if (std::sscanf(line.c_str(), "RATE %lf", &rate) != 1)
      std::fprintf(stderr, "%s | %s\n", name.c_str(), line.c_str());
  };
  return amphibus::supervise(processes, options).exit_code == 0 ? rate : 0;
}

/// Of the times that they tell; infinite if they told less than `count`.
double median_of(const std::vector<amphibus::supervised_process>& processes, std::size_t count, histogram& all) {
  histogram here;
  amphibus::supervise_options options;
  options.deadline = std::chrono::minutes(2);
  options.on_line = [&](const std::string& name, const std::string& line) {
    unsigned long long took = 0;
    if (std::sscanf(line.c_str(), "TOOK %llu", &took) == 1) return here.add(took);
    std::fprintf(stderr, "%s | %s\n", name.c_str(), line.c_str());
  };
  const bool ended = amphibus::supervise(processes, options).exit_code == 0;
  all.add(here);
  return ended && here.count() == count ? here.at(0.5) : std::numeric_limits<double>::infinity();
}

}  // namespace

double ours_zeromq(const std::string& transport, std::size_t count) {
  const scratch in;
  const std::vector<std::string> modules{"source", "sink"};
  const auto config = write_config(in, transport, modules, "block");
  return rate_of(module_commands(config, modules, "stream", count, 0));
}

double ours_large(const std::string& transport, std::size_t count) {
  const scratch in;
  const std::vector<std::string> modules{"source", "sink"};
  const auto config = write_config(in, transport, modules, "block");
  return rate_of(module_commands(config, modules, "large", count, 0));
}

double raw_libzmq(const std::string& role, const std::string& transport, std::size_t count) {
  const scratch in;
  const std::string where = endpoint(transport, in.path(), "raw");
  const std::string many = std::to_string(count);
  return rate_of({{"publish", {"/proc/self/exe", role + "-publish", where, many}},
                  {"subscribe", {"/proc/self/exe", role + "-subscribe", where, many}}});
}

double ours_round_trip(const std::string& transport, std::size_t count, histogram& all) {
  const scratch in;
  const std::vector<std::string> modules{"ping", "pong"};
  const auto config = write_config(in, transport, modules, "block");
  return median_of(module_commands(config, modules, "ping", count, 0), count, all);
}

double raw_round_trip(const std::string& transport, std::size_t count, histogram& all) {
  const scratch in;
  const std::string where = endpoint(transport, in.path(), "raw");
  const std::string many = std::to_string(count);
  return median_of(
      {{"ping", {"/proc/self/exe", "raw-ping", where, many}}, {"pong", {"/proc/self/exe", "raw-pong", where, many}}},
      count, all);
}

paced_result paced(int remote_subscribers, bool flat_out, double seconds) {
  const scratch in;
  std::vector<std::string> modules{"pacer"};
  for (int i = 1; i <= remote_subscribers; ++i) modules.push_back("sink-" + std::to_string(i));
  const auto config = write_config(in, "ipc", modules, "drop_newest");
  paced_result out;
  pid_t to_stop = -1;
  amphibus::supervise_options options;
  options.deadline = std::chrono::minutes(2);
  options.close_deadline = std::chrono::milliseconds(200);
  options.on_started = [&](const std::string& name, pid_t pid) { to_stop = name == "sink-3" ? pid : to_stop; };
  options.on_line = [&](const std::string&, const std::string& line) {
    if (line == "STARTED" && to_stop > 0) ::kill(to_stop, SIGSTOP);
    if (std::sscanf(line.c_str(), "PACED %lf %lf %lf %lf", &out.rate, &out.lost_locally, &out.refused,
                    &out.cpu_ns_per_message) == 4) {
      ::raise(SIGTERM);  // we have what we want: the subscribers never end by themselves
    }
  };
  amphibus::supervise(module_commands(config, modules, flat_out ? "flat" : "paced", 0, seconds), options);
  return out;
}

double connected_idle(double seconds) {
  const scratch in;
  const std::vector<std::string> modules{"idler", "idler-2"};
  const auto config = write_config(in, "ipc", modules, "block");
  double worst = 0;
  amphibus::supervise_options options;
  options.deadline = std::chrono::minutes(1);
  options.on_line = [&](const std::string&, const std::string& line) {
    double one = 0;
    if (std::sscanf(line.c_str(), "IDLE %lf", &one) == 1) worst = std::max(worst, one);
  };
  const bool ended = amphibus::supervise(module_commands(config, modules, "idle", 0, seconds), options).exit_code == 0;
  return ended ? worst : 1e9;
}

}  // namespace bench
