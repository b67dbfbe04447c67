// replayer: stands for the aircraft; it publishes the log when it is due, and then ends every stream.
#include <cinttypes>
#include <cstdio>

#include "modules.hpp"

namespace flight {

void print_sent(std::string_view topic, std::uint32_t count, std::uint64_t digest) {
  std::printf("SENT %.*s %" PRIu32 " %016" PRIx64 "\n", static_cast<int>(topic.size()), topic.data(), count, digest);
  std::fflush(stdout);
}

void start_replayer(amphibus::module& m, const settings& with) {
  auto& log = m.make<flight_log>(read_log(with.data).value());
  keep_first(log, with.length);
  m.run([&m, &log, with](const std::stop_token& stop) {
    replayer from(m.bus(), std::move(log), with.at, *with.time);
    if (!replay(from, *with.time, stop)) return;
    from.for_each_stream(print_sent);
    m.done();
  });
}

}  // namespace flight
