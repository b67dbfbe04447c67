// A dashboard that is opened late: it shows at once what every sensor said last, then every change as it comes; a chart
// that is opened later still gets the last five readings of each. Nobody asked the sensors to say it again.
#include <amphibus/bus.hpp>

#include <cstdio>
#include <map>
#include <vector>

namespace {

struct reading {
  int sensor;
  double celsius;
};
constexpr amphibus::topic<reading, &reading::sensor> readings{"plant.readings", amphibus::retain::history(5)};

/// A boiler that warms up, a room that does not, a tank that cools down.
double temperature(int sensor, int minute) {
  constexpr double start[] = {20.0, 21.5, 80.0};
  constexpr double per_minute[] = {1.5, 0.0, -0.5};
  return start[sensor] + per_minute[sensor] * minute;
}

/// What is on the screen: the last value of each sensor.
class board {
 public:
  void show(const reading& got) { shown_[got.sensor] = got.celsius; }
  void print(const char* when) const {
    std::printf("%s:", when);
    for (const auto& [sensor, celsius] : shown_) std::printf("  sensor %d %.1f", sensor, celsius);
    std::printf("\n");
  }

 private:
  std::map<int, double> shown_;
};

}  // namespace

int main() {
  amphibus::bus bus;
  auto sensors = bus.publisher(readings);
  const auto measure = [&](int minute) {
    for (int sensor = 0; sensor != 3; ++sensor) sensors.publish({sensor, temperature(sensor, minute)});
  };
  for (int minute = 0; minute != 30; ++minute) measure(minute);

  amphibus::loop screen;  // what an interface has anyway
  board values;
  values.print("nothing is shown yet");
  auto opened = bus.subscribe(readings, {.on = screen, .start = amphibus::start::last_value()},
                              [&](const reading& got) { values.show(got); });
  screen.run_until_idle();
  values.print("opened after half an hour");

  measure(30);
  screen.run_until_idle();
  values.print("a minute later");

  std::map<int, std::vector<double>> curves;
  auto chart = bus.subscribe(readings, {.on = screen, .start = amphibus::start::history(5)},
                             [&](const reading& got) { curves[got.sensor].push_back(got.celsius); });
  measure(31);
  screen.run_until_idle();
  for (const auto& [sensor, curve] : curves) {
    std::printf("chart of sensor %d:", sensor);
    for (const double each : curve) std::printf(" %.1f", each);
    std::printf("\n");
  }
  std::printf("kept for whoever comes next: %d readings\n", static_cast<int>(bus.counters(readings).retained));
}
