#include "digest.hpp"

#include <amphibus/config/config.hpp>
#include <amphibus/shutdown_signal.hpp>
#include <amphibus/zeromq/zeromq.hpp>

namespace foreign {
namespace {

struct settings {
  std::string config;
  std::string process;
  std::vector<std::string> overrides;
};

settings read_arguments(int argc, char** argv) {
  settings out;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--config") out.config = argv[i + 1];
    if (name == "--process") out.process = argv[i + 1];
    if (name == "--set") out.overrides.emplace_back(argv[i + 1]);
  }
  return out;
}

}  // namespace

int run_digests(int argc, char** argv, const std::function<void(amphibus::bus&, digests&)>& follow) {
  const amphibus::shutdown_signal stop;
  const settings with = read_arguments(argc, argv);
  try {
    const auto loaded = amphibus::config::load_file(with.config, {{}, {"zeromq"}}, {}, with.overrides);
    if (!loaded.errors.empty()) throw loaded.errors.front();
    digests kept;  // before the bus: its handlers write into it
    amphibus::bus bus(loaded.value, {.process = with.process}, amphibus::transports(amphibus::zeromq::transport()));
    follow(bus, kept);
    bus.wait_until_ready();
    std::puts("READY");
    std::fflush(stdout);
    stop.wait();
    if (!bus.close().complete()) return 1;
    kept.print();
  } catch (const amphibus::error& why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 2;
  }
  return 0;
}

}  // namespace foreign
