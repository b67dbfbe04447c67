#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "detail/placement.hpp"
#include "support/watched.hpp"

namespace zeromq_test {

struct number {
  std::uint64_t value = 0;
};

using support::watched;

/// A bus that is one process of a file, several of which live in this one.
class placed_bus {
 public:
  placed_bus(const amphibus::config::configuration& file, const std::string& process,
             const amphibus::zeromq::options& with = {});
  ~placed_bus();

  void open() { placement_->open(); }
  std::optional<amphibus::error> wait_until_ready(std::chrono::nanoseconds limit = std::chrono::seconds(30));
  [[nodiscard]] std::vector<amphibus::error> check() const { return placement_->check(); }
  /// Blocks until an event of this kind came.
  amphibus::event wait_for(amphibus::event_kind kind);
  [[nodiscard]] std::size_t count_of(amphibus::event_kind kind);
  /// The sum of `count` of these events.
  [[nodiscard]] std::uint64_t sum_of(amphibus::event_kind kind);

  amphibus::bus bus;

 private:
  std::vector<std::unique_ptr<amphibus::transport::transport>> transports_;
  std::shared_ptr<amphibus::detail::placement> placement_;
  watched changes_;
  std::vector<amphibus::event> events_;
};

/// Processes a, b, … on ipc endpoints of their own directory, one route for everything.
amphibus::config::configuration file_of(std::size_t processes,
                                        amphibus::config::overflow overflow = amphibus::config::overflow::block);
/// Opens all and waits until all are ready.
void make_ready(const std::vector<placed_bus*>& all);

}  // namespace zeromq_test

template <>
struct amphibus::codec<zeromq_test::number> {
  static constexpr std::string_view type_name = "test.number";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static bool encode(const zeromq_test::number& from, wire::byte_writer& out) {
    out.append(&from.value, sizeof from.value);
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, zeromq_test::number& into) {
    if (bytes.size() != sizeof into.value) return false;
    std::memcpy(&into.value, bytes.data(), sizeof into.value);
    return true;
  }
};

namespace zeromq_test {
inline constexpr amphibus::topic<number> numbers{"test.numbers"};
}
