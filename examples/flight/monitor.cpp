// monitor: stands for the ground station; it receives every topic and says what is missing, out of order and late.
#include <array>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <string_view>

#include "modules.hpp"
#include "stream_check.hpp"

namespace flight {
namespace {

constexpr std::uint64_t progress_every = 2'000;
constexpr std::size_t stream_count = std::tuple_size_v<decltype(recorded)> + 1;  // and the alerts

struct station {
  explicit station(amphibus::base::clock& of) : time(of) {}

  amphibus::base::clock& time;
  std::map<std::string_view, stream_check> streams;
  std::uint64_t received = 0;
  std::size_t ended = 0;
  amphibus::base::time_point first{};
};

double microseconds(std::chrono::nanoseconds of) { return static_cast<double>(of.count()) / 1000; }

void print_stream(std::string_view topic, const stream_check& of) {
  std::printf("RECEIVED %.*s %" PRIu64 " %" PRIu64 " %" PRIu64 " %.1f %.1f %.1f %016" PRIx64 "\n",
              static_cast<int>(topic.size()), topic.data(), of.received(), of.reordered(), of.lost(),
              microseconds(of.latency().percentile(0.5)), microseconds(of.latency().percentile(0.99)),
              microseconds(of.latency().percentile(0.999)), of.digest());
}

void finish(amphibus::module& m, const station& at) {
  const std::chrono::duration<double> took = at.time.now() - at.first;
  for (const auto& [topic, stream] : at.streams) print_stream(topic, stream);
  std::printf("DONE %.3f\n", took.count());
  std::fflush(stdout);
  m.done();
}

void count(station& at, amphibus::base::time_point now) {
  if (at.received == 0) at.first = now;
  if (++at.received % progress_every != 0) return;
  std::printf("PROGRESS %" PRIu64 "\n", at.received);
  std::fflush(stdout);
}

template <class T>
void listen(amphibus::module& m, const amphibus::topic<T>& to, station& at) {
  m.subscribe(to, [&m, &at, &stream = at.streams[to.name()]](const T& message) {
    if (message.end) {
      if (stream.end(message.number) && ++at.ended == stream_count) finish(m, at);
      return;
    }
    const auto now = at.time.now();
    stream.add(message, now.time_since_epoch());
    count(at, now);
  });
}

}  // namespace

void start_monitor(amphibus::module& m, const settings& with) {
  auto& at = m.make<station>(*with.time);
  for_each_recorded([&](const auto& each) { listen(m, each, at); });
  listen(m, alerts, at);
}

}  // namespace flight
