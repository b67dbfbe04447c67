// A service that runs until it is told to stop, and forgets nothing that it accepted.
//   graceful_shutdown [ORDERS]     stops itself after so many orders, as `kill` would
#include <amphibus/bus.hpp>
#include <amphibus/shutdown_signal.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <unistd.h>

namespace {

struct order_placed {
  long id;
};
constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};

/// Publishes until the bus refuses. Returns: how many orders were accepted.
long feed(amphibus::bus& bus) {
  auto out = bus.publisher(orders);
  for (long accepted = 0;;) {
    switch (out.publish({.id = accepted + 1})) {
      case amphibus::publish_status::accepted: ++accepted; break;
      case amphibus::publish_status::closed: return accepted;
      default: break;  // the handler is slower than we are: try again
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const amphibus::shutdown_signal stop;  // first: a signal that comes while we still start is not lost
  const long stop_after = argc > 1 ? std::strtol(argv[1], nullptr, 10) : -1;
  long handled = 0;
  amphibus::bus bus;
  auto sub = bus.subscribe(orders, [&](const order_placed&) {
    if (++handled == stop_after) ::kill(::getpid(), SIGTERM);
  });
  long accepted = 0;
  std::thread feeding([&] { accepted = feed(bus); });

  std::printf("%s: no more orders\n", stop.wait() == SIGTERM ? "SIGTERM" : "SIGINT");
  const auto report = bus.close();  // refuses the feed, handles what was accepted, ends the subscription
  feeding.join();
  std::printf("close: %s\n", to_string(report).c_str());
  std::printf("%s\n", handled == accepted ? "every order that was accepted was handled" : "orders were FORGOTTEN");
  return report.complete() && handled == accepted ? 0 : 1;
}
