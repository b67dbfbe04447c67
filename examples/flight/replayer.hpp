#pragma once

#include <amphibus/base/clock.hpp>

#include <cstdint>
#include <stop_token>
#include <string_view>
#include <tuple>
#include <utility>

#include <amphibus/bus.hpp>

#include "content.hpp"
#include "flight_log.hpp"

namespace flight {

/// How fast a log is replayed: as it was flown, ten times as fast, or as fast as it is taken.
enum class speed : std::uint8_t { real, ten_times, full };

/// Publishes a log, each message when it is due.
///
/// What is due is decided by a clock that is handed in, so a test replays an hour in no time. Open loop: a message says
/// when it was due, and a replay that was held up catches up; so the latency of those that had to wait contains the
/// waiting (leaving it out is known as coordinated omission). At full speed a message is due when it is published.
/// Thread: confined. Lifetime: not beyond the clock.
class replayer {
 public:
  replayer(amphibus::bus& to, flight_log log, speed at, amphibus::base::clock& time);

  /// The first message is due now.
  void start();
  /// Everything that was in the log is published; the ends of the streams are not yet.
  [[nodiscard]] bool finished() const noexcept { return next_ == log_.size(); }
  /// When the next message is due. Precondition: not finished.
  [[nodiscard]] amphibus::base::time_point next_due() const noexcept;
  /// Publishes what is due by now, in the order of the log; at full speed all of it.
  /// Returns: false when the bus is closed or `stop` was requested before all of it was accepted.
  bool publish_due(const std::stop_token& stop);
  /// Tells every topic that its stream is over, and how long it was. Returns: as publish_due.
  bool publish_ends(const std::stop_token& stop);

  /// Calls `what(topic name, messages published, their digest)` for every topic.
  template <class Callable>
  void for_each_stream(Callable&& what) const {
    std::apply([&](const auto&... each) { (what(each.name, each.sent, each.sum.digest()), ...); }, streams_);
  }

 private:
  template <class T>
  struct stream {
    using message_type = T;
    std::string_view name;
    amphibus::publisher<T> out;
    std::uint32_t sent = 0;
    content sum;
  };
  template <class... T>
  static std::tuple<stream<T>...> open(amphibus::bus& to, const std::tuple<amphibus::topic<T>...>& topics) {
    return std::apply(
        [&](const auto&... each) {
          return std::tuple<stream<T>...>{stream<T>{each.name(), to.publisher(each), 0, {}}...};
        },
        topics);
  }
  template <class T>
  bool publish(T& message, const std::stop_token& stop);

  flight_log log_;
  const speed speed_;
  amphibus::base::clock& time_;
  amphibus::base::time_point started_{};
  std::size_t next_ = 0;
  decltype(open(std::declval<amphibus::bus&>(), recorded)) streams_;
};

/// Replays the whole log, waiting on the clock between messages, and then ends the streams.
/// Returns: false when the bus was closed or `stop` was requested before that.
bool replay(replayer& from, amphibus::base::clock& time, const std::stop_token& stop);

}  // namespace flight
