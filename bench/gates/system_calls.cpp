// system_calls WAY COUNT: COUNT messages that way, without pause, to who handles them at once; what the system is asked
// for meanwhile is counted from outside, see system_calls.sh.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <amphibus/bus.hpp>
#include <amphibus/wire/pod.hpp>
#ifdef GATE_ZEROMQ
#include <amphibus/config/config.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "harness/scratch.hpp"
#endif

namespace bench {

struct counted {
  std::uint64_t number;
  std::uint64_t more[3];
};

}  // namespace bench
AMPHIBUS_POD(bench::counted, 1, number, more)

namespace {

using bench::counted;
constexpr amphibus::topic<counted> messages{"bench.counted"};

void publish(amphibus::bus& bus, std::uint64_t count) {
  auto out = bus.publisher(messages);
  for (std::uint64_t i = 0; i != count; ++i) out.publish({i, {}});
}

/// In one thread: a burst, and the loop that handles it.
std::uint64_t in_loop(std::uint64_t count) {
  constexpr std::uint64_t burst = 1'000;
  amphibus::bus bus;
  amphibus::loop loop;
  std::uint64_t seen = 0;
  const auto one = bus.subscribe(messages, {.on = loop}, [&seen](const counted&) { ++seen; });
  auto out = bus.publisher(messages);
  for (std::uint64_t i = 0; i != count; ++i) {
    out.publish({i, {}});
    if (i % burst == burst - 1) loop.run_until_idle();
  }
  loop.run_until_idle();
  return seen;
}

std::uint64_t in_process(std::uint64_t count) {
  amphibus::bus bus;
  std::uint64_t seen = 0;
  const auto one = bus.subscribe(messages, {.on = amphibus::dedicated}, [&seen](const counted&) { ++seen; });
  publish(bus, count);
  bus.drain();
  return seen;
}

#ifdef GATE_ZEROMQ
/// Two processes of a file in one program.
std::uint64_t over_ipc(std::uint64_t count) {
  const bench::scratch in;
  const auto process = [&in](const std::string& name) {
    return "[process." + name + "]\nendpoint = \"ipc://" + in.path() + "/" + name + "\"\n";
  };
  const std::string text =
      process("near") + process("far") + "[[route]]\ntopic = \"bench.>\"\ntransport = \"zeromq\"\n";
  const auto file = amphibus::config::load_text(text, "gate", {.modules = {}, .transports = {"zeromq"}});
  amphibus::bus near{file.value, {.process = "near"}, amphibus::transports(amphibus::zeromq::transport())};
  amphibus::bus far{file.value, {.process = "far"}, amphibus::transports(amphibus::zeromq::transport())};
  std::uint64_t seen = 0;
  const auto one = far.subscribe(messages, {.on = amphibus::dedicated}, [&seen](const counted&) { ++seen; });
  {
    const std::jthread other([&far] { far.wait_until_ready(); });
    near.wait_until_ready();
  }
  publish(near, count);
  near.close();  // what was sent is delivered then
  far.drain();
  return seen;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const std::string way = argc > 1 ? argv[1] : "";
  const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
  std::uint64_t seen = 0;
  if (way == "loop") seen = in_loop(count);
  if (way == "dedicated") seen = in_process(count);
#ifdef GATE_ZEROMQ
  if (way == "ipc") seen = over_ipc(count);
#endif
  std::printf("%s: handled %llu of %llu\n", way.c_str(), static_cast<unsigned long long>(seen),
              static_cast<unsigned long long>(count));
  return seen == count ? 0 : 1;
}
