// A bus joins an epoll loop: one thread serves a line of raw bytes and the handlers of a topic, whichever is ready.
#include <amphibus/bus.hpp>

#include <cstdio>

#include <sys/epoll.h>
#include <unistd.h>

namespace {

struct raw_count {
  int value = 0;
  bool last = false;
};
struct temperature {
  double celsius = 0;
  bool last = false;
};
constexpr amphibus::topic<raw_count> counts{"probe.counts"};
constexpr amphibus::topic<temperature> temperatures{"probe.temperatures"};

void watch(int epoll, int descriptor) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = descriptor;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &wanted);
}

}  // namespace

int main() {
  amphibus::bus bus;
  amphibus::loop here;
  bool done = false;
  // The work happens on the bus's thread, the display on ours: its handler runs inside run_once() and nowhere else.
  auto calibration = bus.subscribe(counts, [&](const raw_count& raw) {
    bus.publish(temperatures, {.celsius = raw.value * 0.25 - 10, .last = raw.last});
  });
  auto display = bus.subscribe(temperatures, {.on = here}, [&](const temperature& now) {
    done = now.last;
    if (!done) std::printf("%.2f degrees\n", now.celsius);
  });

  int line[2];  // a serial line; the probe at its far end sends three counts and hangs up
  if (::pipe(line) != 0 || ::write(line[1], "\x78\x7a\x81", 3) != 3) return 1;
  ::close(line[1]);

  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, line[0]);
  watch(epoll, here.fd());
  while (!done) {
    epoll_event ready{};
    if (::epoll_wait(epoll, &ready, 1, -1) != 1) continue;
    if (ready.data.fd == here.fd()) {
      here.run_once();  // at most 256 messages per subscription: the line is not kept waiting for long
      continue;
    }
    unsigned char byte = 0;
    if (::read(line[0], &byte, 1) == 1) {
      bus.publish(counts, {.value = byte});
    } else {
      bus.publish(counts, {.last = true});
      ::epoll_ctl(epoll, EPOLL_CTL_DEL, line[0], nullptr);
    }
  }
  ::close(line[0]);
  ::close(epoll);
}
