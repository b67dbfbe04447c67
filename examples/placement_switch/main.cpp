// One program, in one process or in two: only the file after --config decides.
//   placement_switch up --config one_process.toml
//   placement_switch up --config two_processes.toml
#include <amphibus/app.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <cstdio>

#include "greenhouse_amphibus.h"

namespace {

using greenhouse::ReadingT;

constexpr amphibus::topic<ReadingT> readings{"greenhouse.readings"};

void start_sensors(amphibus::module& m) {
  m.run([&m](std::stop_token) {  // starts when every process is there and has subscribed
    auto out = m.publisher(readings);
    for (int hour = 9; hour <= 17; ++hour) {
      ReadingT now;
      now.hour = static_cast<std::uint8_t>(hour);
      now.celsius = 33.0F - static_cast<float>((hour - 13) * (hour - 13));
      now.last = hour == 17;
      out.publish(now);
    }
    m.done();
  });
}

void start_climate(amphibus::module& m) {
  auto& vents_open = m.make<bool>(false);
  m.subscribe(readings, [&](const ReadingT& now) {
    const bool open = now.celsius > 28;
    if (open != vents_open) {
      std::printf("%02d:00 %.0f degrees: vents %s\n", now.hour, static_cast<double>(now.celsius),
                  open ? "open" : "closed");
    }
    vents_open = open;
    if (!now.last) return;
    std::printf("end of the day\n");
    m.done();
  });
}

}  // namespace

int main(int argc, char** argv) {
  amphibus::app house{argc, argv};
  house.transport(amphibus::zeromq::transport());
  house.module("sensors", start_sensors);
  house.module("climate", start_climate);
  return house.run();
}
