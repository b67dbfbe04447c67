#include "flight_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <amphibus/base/event.hpp>

#include "fields.hpp"

namespace flight {
namespace {

constexpr std::string_view header = "seq,log_ts_us,ts_us,topic,instance,wire_bytes,values";
enum column : std::size_t { seq, log_us, stamp_us, topic, instance, wire_bytes, values, column_count };

/// What is wrong with a row, and the text that is wrong: a part of the row.
struct fault {
  std::string what;
  std::string_view where;
};

template <class Number>
bool parse_number(std::string_view text, Number& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  return failure == std::errc{} && end == text.data() + text.size();
}

bool parse_value(std::string_view text, bool& into) {
  into = text == "1";
  return into || text == "0";
}

template <class Number>
bool parse_value(std::string_view text, Number& into) {
  if (!parse_number(text, into)) return false;
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(into)) return false;
    // FlatBuffers leaves out what equals the default, and -0 does: as +0 it is the same in every placement.
    into += Number{0};
  }
  return true;
}

/// Takes the values of a row one by one; after the first that is missing or bad it takes nothing more.
class value_reader {
 public:
  explicit value_reader(std::string_view text) : rest_(text) {}

  template <class Number>
  void take(Number& into) {
    if (fault_) return;
    if (over_) return void(fault_ = fault{"too few values", rest_});
    const auto space = rest_.find(' ');
    const std::string_view one = rest_.substr(0, space);
    if (!parse_value(one, into)) return void(fault_ = fault{"bad value", one});
    over_ = space == std::string_view::npos;
    rest_.remove_prefix(over_ ? rest_.size() : space + 1);
  }
  /// Returns: what is wrong, also that values are left.
  [[nodiscard]] std::optional<fault> finish() const {
    if (!fault_ && !over_) return fault{"too many values", rest_};
    return fault_;
  }

 private:
  std::string_view rest_;
  bool over_ = false;
  std::optional<fault> fault_;
};

template <class T>
std::optional<fault> parse_values(std::string_view from, T& into) {
  value_reader reader(from);
  for_each_value(
      into, [&](auto& value) { reader.take(value); },
      [&](std::vector<float>& list, std::size_t size) {
        list.resize(size);
        for (float& each : list) reader.take(each);
      });
  return reader.finish();
}

using columns = std::array<std::string_view, column_count>;

/// Returns: how many columns there were, at most one more than fit.
std::size_t split(std::string_view row, columns& into) {
  std::size_t count = 0;
  for (;;) {
    const auto comma = row.find(',');
    if (count == column_count) return count + 1;
    into[count++] = row.substr(0, comma);
    if (comma == std::string_view::npos) return count;
    row.remove_prefix(comma + 1);
  }
}

template <class T>
std::optional<fault> parse_message(const columns& from, T& into) {
  const auto bad = [&](column which) { return fault{"bad value", from[which]}; };
  if (!parse_number(from[seq], into.seq)) return bad(seq);
  if (!parse_number(from[log_us], into.log_us)) return bad(log_us);
  if (!parse_number(from[stamp_us], into.stamp_us)) return bad(stamp_us);
  if (!parse_number(from[instance], into.instance)) return bad(instance);
  if (std::uint32_t size = 0; !parse_number(from[wire_bytes], size)) return bad(wire_bytes);
  return parse_values(from[values], into);
}

std::optional<fault> parse_row(std::string_view row, log_entry& into) {
  columns from;
  if (row.size() > log_row_max_bytes) return fault{"a row of more than 4096 bytes", row.substr(0, 0)};
  if (const auto count = split(row, from); count != column_count) {
    return fault{std::to_string(column_count) + " columns expected, " + std::to_string(count) + " found", row};
  }
  bool known = false;
  std::optional<fault> wrong;
  for_each_recorded([&]<class T>(const amphibus::topic<T>& each) {
    if (each.name().substr(each.name().find('.') + 1) != from[topic]) return;
    known = true;
    T message;
    wrong = parse_message(from, message);
    into.log_us = message.log_us;
    into.message = std::move(message);
  });
  return known ? wrong : fault{"unknown topic", from[topic]};
}

/// What a row must not do after the ones before.
std::optional<fault> check_clock(const flight_log& log, std::string_view row) {
  const std::uint64_t now = log.back().log_us;
  if (log.size() > 1 && now < log[log.size() - 2].log_us) return fault{"a clock that runs backwards", row};
  const std::uint64_t span_max = std::chrono::microseconds(log_span_max).count();
  if (now - log.front().log_us > span_max) return fault{"a log of more than 24 hours", row};
  return std::nullopt;
}

amphibus::error bad_row(const std::string& name, int line, std::string_view row, const fault& wrong) {
  const auto column = static_cast<int>(wrong.where.data() - row.data()) + 1;
  return {amphibus::error_code::config_bad_value,
          wrong.what + ": '" + amphibus::escaped(std::string(wrong.where.substr(0, 80)), 80) + "'",
          "rows are " + std::string(header) + ", values as schemas/flight.fbs lists them",
          {name, line, column}};
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

amphibus::result<flight_log> parse_log(std::string_view text, const std::string& name) {
  flight_log log;
  if (const auto first = take_line(text); first != header) return bad_row(name, 1, first, {"another header", first});
  for (int line = 2; !text.empty(); ++line) {
    const std::string_view row = take_line(text);
    auto wrong = parse_row(row, log.emplace_back());
    if (!wrong) wrong = check_clock(log, row);
    if (wrong) return bad_row(name, line, row, *wrong);
  }
  if (log.empty()) return bad_row(name, 2, text, {"no rows", text});
  return log;
}

amphibus::result<flight_log> read_log(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return amphibus::error(amphibus::error_code::config_unreadable,
                           "cannot read the log '" + amphibus::escaped(path) + "'",
                           "pass -- --data FILE with px4_flight_auav_x21.csv, which the build unpacks", {path});
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_log(text, path);
}

void keep_first(flight_log& log, std::chrono::nanoseconds length) {
  const auto kept = [&, first = log.empty() ? 0 : log.front().log_us](const log_entry& each) {
    return std::chrono::microseconds(each.log_us - first) <= length;
  };
  log.erase(std::partition_point(log.begin(), log.end(), kept), log.end());
}

}  // namespace flight
