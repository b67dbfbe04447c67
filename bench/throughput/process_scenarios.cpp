#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>

#include <amphibus/bus.hpp>

#include "rivals/rivals.hpp"
#include "throughput/idle.hpp"
#include "throughput/processes.hpp"

namespace bench {
namespace {

constexpr amphibus::topic<message<32>> idle_topic{"bench.idle"};

double idle_bus() {
  amphibus::bus bus;
  std::vector<amphibus::subscription> subscriptions;
  for (int i = 0; i != 100; ++i) subscriptions.push_back(bus.subscribe(idle_topic, [](const message<32>&) {}));
  bus.publish(idle_topic, {});
  bus.drain();
  return context_switches_per_second(3);
}

void add_streams(std::vector<scenario>& to, double effort) {
  for (const std::string transport : {"tcp", "ipc"}) {
    const auto count = static_cast<std::size_t>(30'000'000 * effort);
    to.push_back({.name = "zeromq/" + transport + "/32B",
                  .ours = "publisher",
                  .rival = "libzmq one per frame",
                  .how = "XPUB with NODROP to SUB, two processes, one message per frame",
                  .target = 6,
                  .run_ours = [=] { return ours_zeromq(transport, count); },
                  .run_rival = [=] { return raw_libzmq("raw", transport, count / 5); }});
    to.push_back(
        {.name = "zeromq/" + transport + "/32B",
         .ours = "publisher",
         .rival = "libzmq by hand",
         .how = "the same with 16,384 messages per frame, filled before it is sent: no topics, no schema, no CRC",
         .target = 0.7,
         .run_ours = [=] { return ours_zeromq(transport, count); },
         .run_rival = [=] { return raw_libzmq("batched", transport, count); }});
    const auto large = static_cast<std::size_t>(2'000 * effort);
    to.push_back({.name = "zeromq/" + transport + "/1MiB",
                  .ours = "publisher",
                  .rival = "libzmq one per frame",
                  .how = "zmq_send, which copies once, and zmq_msg_recv, which does not",
                  .target = 0.9,
                  .run_ours = [=] { return ours_large(transport, large); },
                  .run_rival = [=] { return raw_libzmq("large", transport, large); }});
  }
}

/// Brokers and shared memory instead of sockets, over what comes nearest.
void add_other_ways(std::vector<scenario>& to, double effort) {
  for (const auto& [transport, name] : {std::pair{"tcp", "NATS"}, std::pair{"ipc", "iceoryx"}}) {
    const rival* const against = find_rival(name);
    if (against == nullptr) continue;
    const auto count = static_cast<std::size_t>(30'000'000 * effort);
    to.push_back(
        {.name = std::string("zeromq/") + transport + "/32B",
         .ours = "publisher",
         .rival = against->name,
         .how = against->how,
         .run_ours = [count, transport = std::string(transport)] { return ours_zeromq(transport, count); },
         .run_rival =
             [=] { return against->rate({}, static_cast<std::size_t>(static_cast<double>(count) * against->size)); }});
  }
}

void add_round_trips(std::vector<scenario>& to, double effort) {
  for (const std::string transport : {"tcp", "ipc"}) {
    const auto count = static_cast<std::size_t>(2'000 * effort);
    const auto mine = std::make_shared<histogram>();
    const auto other = std::make_shared<histogram>();
    to.push_back({.name = "latency/zeromq/" + transport,
                  .ours = "there and back",
                  .rival = "libzmq",
                  .how = "PAIR sockets, the answer sent by the thread that received",
                  .unit = "ns",
                  .less_is_better = true,
                  .target = 1.8,
                  .ours_times = mine,
                  .rival_times = other,
                  .run_ours = [=] { return ours_round_trip(transport, count, *mine); },
                  .run_rival = [=] { return raw_round_trip(transport, count, *other); }});
  }
}

/// A figure on its own.
scenario alone(std::string name, std::string unit, bool less_is_better, double target, std::function<double()> run) {
  return {.name = std::move(name),
          .ours = "ours",
          .unit = std::move(unit),
          .less_is_better = less_is_better,
          .target = target,
          .pairs_max = 1,
          .run_ours = std::move(run)};
}

long resident_bytes() {
  std::ifstream in("/proc/self/statm");
  long total = 0;
  long resident = 0;
  in >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// Bytes of memory per topic that exists and is subscribed, and nobody publishes.
double idle_topic_bytes() {
  constexpr int count = 100'000;
  amphibus::bus bus;
  std::vector<amphibus::topic<message<32>>> topics;
  std::vector<amphibus::subscription> subscriptions;
  topics.reserve(count);
  subscriptions.reserve(count);
  ::malloc_trim(0);  // what scenarios before left would be used first
  const long before = resident_bytes();
  for (int i = 0; i != count; ++i) {
    topics.push_back(bus.make_topic<message<32>>("bench.idle.t" + std::to_string(i)).value());
    subscriptions.push_back(bus.subscribe(topics.back(), [](const message<32>&) {}));
  }
  return static_cast<double>(resident_bytes() - before) / count;
}

void add_idle(std::vector<scenario>& to) {
  to.push_back(alone("idle_topic/with a subscription", "bytes", true, 1024, [] { return idle_topic_bytes(); }));
  to.push_back(alone("idle/100 subscriptions", "switches/s", true, 1, [] { return idle_bus(); }));
  to.push_back(alone("idle/connected to one peer", "switches/s", true, 2, [] { return connected_idle(12); }));
}

/// What local subscribers pay for remote ones.
void add_local(std::vector<scenario>& to, double effort) {
  const double seconds = 5 * effort;
  for (const int remote : {0, 3}) {
    const std::string name = "local/" + std::to_string(remote) + " remote" + (remote == 3 ? ", one stopped" : "");
    to.push_back(alone(name + ": rate of 100,000", "of paced", false, 0.95,
                       [=] { return paced(remote, false, seconds).rate / 100'000; }));
    to.push_back(alone(name + ": lost or refused", "messages", true, 0.5, [=] {
      const paced_result of = paced(remote, false, seconds);
      return of.rate > 0 ? of.lost_locally + of.refused : 1e9;
    }));
  }
  // Six processes share the cores then, and what is published costs what the route takes.
  to.push_back({.name = "local/flat out",
                .ours = "3 remote, one stopped",
                .rival = "none remote",
                .how = "the same without subscribers elsewhere",
                .pairs_max = 3,
                .run_ours = [=] { return paced(3, true, seconds).rate; },
                .run_rival = [=] { return paced(0, true, seconds).rate; }});
}

}  // namespace

std::vector<scenario> process_scenarios(double effort) {
  std::vector<scenario> out;
  add_streams(out, effort);
  add_other_ways(out, effort);
  add_round_trips(out, effort);
  add_idle(out);
  add_local(out, effort);
  return out;
}

}  // namespace bench
