// A pipeline of coroutines: lines become measurements, measurements become means of three, means become alarms. Each
// stage is a loop with local variables, not a handler with state beside it; while it waits it has no thread.
#include <amphibus/bus.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>

#include <charconv>
#include <cstdio>
#include <string>

namespace {

struct measurement {
  int minute;
  int decibel;
};
constexpr amphibus::topic<std::string> lines{"street.lines"};
constexpr amphibus::topic<measurement> measurements{"street.measurements"};
constexpr amphibus::topic<measurement> means{"street.means"};

amphibus::task parse(amphibus::receiver<std::string> in, amphibus::publisher<measurement> out) {
  int minute = 0;
  while (const auto next = co_await in.next()) {
    const std::string& line = **next;
    int decibel = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), decibel);
    if (parsed.ec == std::errc()) out.publish({minute, decibel});
    ++minute;  // a line that nobody can read is a minute too
  }
}

amphibus::task smooth(amphibus::receiver<measurement> in, amphibus::publisher<measurement> out) {
  int window[3] = {};
  int count = 0;
  while (const auto next = co_await in.next()) {
    window[count++ % 3] = (*next)->decibel;
    if (count >= 3) out.publish({(*next)->minute, (window[0] + window[1] + window[2]) / 3});
  }
}

amphibus::task watch(amphibus::receiver<measurement> in, int limit, int& alarms) {
  bool loud = false;
  while (const auto next = co_await in.next()) {
    const bool now = (*next)->decibel > limit;
    if (now && !loud) {
      std::printf("minute %2d: %d dB, too loud\n", (*next)->minute, (*next)->decibel);
      ++alarms;
    }
    loud = now;
  }
  std::printf("the street is closed, %d alarms\n", alarms);
}

}  // namespace

int main() {
  int alarms = 0;
  amphibus::bus bus;
  amphibus::pool workers = bus.pool("workers", {.threads = 2});
  const auto watching = watch(bus.receiver(means, {.name = "watch", .on = workers}), 67, alarms);
  const auto smoothing = smooth(bus.receiver(measurements, {.name = "smooth", .on = workers}), bus.publisher(means));
  const auto parsing = parse(bus.receiver(lines, {.name = "parse", .on = workers}), bus.publisher(measurements));

  auto microphone = bus.publisher(lines);
  for (const char* line : {"52", "55", "61", "90", "58", "54", "75", "?", "78", "80", "82", "60", "51", "50", "49"}) {
    microphone.publish(line);
  }
  bus.close();  // what is on its way comes through; then each stage hears that nothing follows
}
