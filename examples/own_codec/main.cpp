// A type of your own leaves the process: a codec beside it is all it takes. Two buses of one program stand in for two
// processes, so that there is one thing to run.
#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <cstdio>
#include <cstring>
#include <latch>
#include <string>
#include <thread>

struct position {
  std::string vessel;  ///< at most 40 bytes
  std::int32_t latitude_e6 = 0;
  std::int32_t longitude_e6 = 0;
};

template <>
struct amphibus::codec<position> {
  static constexpr std::string_view type_name = "fleet.position";  // the same in every program
  static constexpr std::uint16_t major = 1;                        // raise it when old readers would misread
  static constexpr std::uint64_t schema_hash = 0xf1ee'0001;        // informs only
  static constexpr std::size_t numbers_size_bytes = 2 * sizeof(std::int32_t);

  static bool encode(const position& from, wire::byte_writer& out) {
    if (from.vessel.size() > 40) return false;  // becomes an event `undeliverable`, never half a message
    out.append(&from.latitude_e6, sizeof from.latitude_e6);
    out.append(&from.longitude_e6, sizeof from.longitude_e6);
    out.append(from.vessel.data(), from.vessel.size());
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, position& into) {
    if (bytes.size() < numbers_size_bytes || bytes.size() > numbers_size_bytes + 40)
      return false;  // bytes of strangers
    std::memcpy(&into.latitude_e6, bytes.data(), sizeof into.latitude_e6);
    std::memcpy(&into.longitude_e6, bytes.data() + sizeof into.latitude_e6, sizeof into.longitude_e6);
    const auto name = bytes.subspan(numbers_size_bytes);
    into.vessel.assign(reinterpret_cast<const char*>(name.data()), name.size());
    return true;
  }
};

// Below its codec, because a topic captures the codec that is visible where it is defined.
inline constexpr amphibus::topic<position> positions{"fleet.positions"};

constexpr auto two_processes = R"(
[process.ship]
endpoint = "ipc://./own_codec.ship"

[process.shore]
endpoint = "ipc://./own_codec.shore"

[[route]]
topic = "fleet.>"
transport = "zeromq"
)";

int main() {
  const auto file = amphibus::config::load_text(two_processes, "own_codec", {.modules = {}, .transports = {"zeromq"}});
  amphibus::bus ship{file.value, {.process = "ship"}, amphibus::transports(amphibus::zeromq::transport())};
  amphibus::bus shore{file.value, {.process = "shore"}, amphibus::transports(amphibus::zeromq::transport())};

  std::latch arrived{2};
  auto log = shore.subscribe(positions, [&](const position& at) {
    std::printf("%s is at %.2f, %.2f\n", at.vessel.c_str(), at.latitude_e6 / 1e6, at.longitude_e6 / 1e6);
    arrived.count_down();
  });
  std::jthread other([&] { shore.wait_until_ready(); });  // each process says that it has subscribed
  ship.wait_until_ready();                                // nothing is lost to late joining from here on

  ship.publish(positions, {.vessel = "Sea Cloud", .latitude_e6 = 54'320'000, .longitude_e6 = 10'130'000});
  ship.publish(positions, {.vessel = "Gorch Fock", .latitude_e6 = 53'550'000, .longitude_e6 = 9'990'000});
  arrived.wait();
}
