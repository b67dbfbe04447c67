#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/error.hpp>

#include "topics.hpp"

namespace flight {

/// One message and when the logger wrote it.
struct log_entry {
  std::uint64_t log_us = 0;
  reading message;
};
using flight_log = std::vector<log_entry>;

/// A log that is longer has a broken clock.
inline constexpr std::chrono::hours log_span_max{24};
inline constexpr std::size_t log_row_max_bytes = 4096;

/// Reads px4_flight_auav_x21.csv: rows in the order of arrival, whose clock never runs backwards.
/// Returns: the entries, at least one, or the first error with file, line and column.
amphibus::result<flight_log> read_log(const std::string& path);
amphibus::result<flight_log> parse_log(std::string_view text, const std::string& name);

/// Drops what the logger wrote later than `length` after the first message.
void keep_first(flight_log& log, std::chrono::nanoseconds length);

}  // namespace flight
