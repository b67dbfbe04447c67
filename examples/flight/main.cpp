// flight [--config FILE …] [-- --speed real|10x|full --seconds S]   runs the modules that the file places here
// flight up --config FILE                                           runs every process of the file
// flight demo [--speed …] [--placement NAME] …                      replays the log in each placement, and judges
#include <cstdio>
#include <cstring>

#include <amphibus/app.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/testing/fault_points.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "command_line.hpp"
#include "demo.hpp"
#include "modules.hpp"

namespace {

constexpr std::uint64_t fault_every = 997;

/// Breaks the transport behind its own sequence check, so that nothing mends it. Returns: false if nothing is to break.
bool arm(amphibus::testing::fault_points& faults, const std::string& sabotage) {
  using amphibus::base::fault_action;
  if (sabotage.empty()) return false;
  faults.arm("zeromq.deliver",
             sabotage == "lose"  ? fault_action::lose
             : sabotage == "dup" ? fault_action::duplicate
                                 : fault_action::swap,
             fault_every);
  return true;
}

bool read_settings(const std::vector<std::string>& from, flight::settings& into) {
  for (std::size_t i = 0; i < from.size(); i += 2) {
    const std::string value = i + 1 < from.size() ? from[i + 1] : "";
    if (flight::read_setting(from[i], value, into)) continue;
    std::fprintf(stderr, "flight: '%s %s' is unknown; known: %s\n", amphibus::escaped(from[i]).c_str(),
                 amphibus::escaped(value).c_str(), flight::known_settings);
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "demo") == 0) return flight::run_demo({argv + 2, argv + argc});
  amphibus::app app{argc, argv};
  flight::settings with;
  with.data = FLIGHT_DATA;
  if (!read_settings(app.arguments(), with)) return 2;
  amphibus::testing::fault_points faults;
  const bool broken = arm(faults, with.sabotage);
  app.transport(amphibus::zeromq::transport({.faults = broken ? &faults : nullptr}));
  app.module("replayer", [&](amphibus::module& m) { flight::start_replayer(m, with); });
  app.module("watcher", flight::start_watcher);
  app.module("monitor", [&](amphibus::module& m) { flight::start_monitor(m, with); });
  return app.run();
}
