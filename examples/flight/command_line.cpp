#include "command_line.hpp"

#include <charconv>

namespace flight {
namespace {

bool read_speed(const std::string& value, speed& into) {
  if (value == "real") return into = speed::real, true;
  if (value == "10x") return into = speed::ten_times, true;
  if (value == "full") return into = speed::full, true;
  return false;
}

bool read_seconds(const std::string& value, std::chrono::nanoseconds& into) {
  int seconds = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  into = std::chrono::seconds(seconds);
  return failure == std::errc{} && end == value.data() + value.size() && seconds >= 1 && into <= log_span_max;
}

}  // namespace

bool read_setting(const std::string& name, const std::string& value, settings& into) {
  if (name == "--speed") return read_speed(value, into.at);
  if (name == "--seconds") return read_seconds(value, into.length);
  if (name == "--data") return into.data = value, !value.empty();
  if (name == "--sabotage") return into.sabotage = value, value == "lose" || value == "dup" || value == "swap";
  return false;
}

}  // namespace flight
