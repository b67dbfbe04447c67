#include "orders_file.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>

#include <amphibus/base/event.hpp>

namespace shop {
namespace {

constexpr std::string_view header = "InvoiceNo,InvoiceDate,CustomerID,Country,Lines,Units,TotalGBP,Kind";
constexpr std::size_t column_count = 8;
constexpr std::array<std::string_view, 4> kinds{"order", "cancellation", "writeoff", "adjustment"};

using columns = std::array<std::string_view, column_count>;

template <class T>
bool parse_number(std::string_view text, T& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  return failure == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// `2010-12-01 08:26:00` -> 20101201
bool parse_day(std::string_view text, std::uint32_t& into) {
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ') return false;
  return parse_number(std::string(text.substr(0, 4)) + std::string(text.substr(5, 2)) + std::string(text.substr(8, 2)),
                      into);
}

/// Returns: how many columns there were, at most one more than fit.
std::size_t split(std::string_view line, columns& into) {
  std::size_t count = 0;
  for (;;) {
    const auto comma = line.find(',');
    if (count == column_count) return count + 1;
    into[count++] = line.substr(0, comma);
    if (comma == std::string_view::npos) return count;
    line.remove_prefix(comma + 1);
  }
}

/// Returns: the position of the first bad column, or column_count.
std::size_t parse_row(const columns& from, ReceivedT& into) {
  if (from[0].empty() || from[0].size() > 8) return 0;
  into.invoice = from[0];
  if (!parse_day(from[1], into.day)) return 1;
  if (from[2].size() > 8) return 2;
  into.customer = from[2];
  if (from[3].empty() || from[3].size() > 24) return 3;
  into.country = from[3];
  if (std::int32_t lines = 0; !parse_number(from[4], lines)) return 4;
  if (!parse_number(from[5], into.units)) return 5;
  if (!parse_pence(from[6], into.pence)) return 6;
  const auto kind = std::find(kinds.begin(), kinds.end(), from[7]);
  if (kind == kinds.end()) return 7;
  into.kind = static_cast<Kind>(kind - kinds.begin());
  return column_count;
}

amphibus::error bad_row(const std::string& name, int line, std::string_view text, int column, const std::string& what) {
  return {amphibus::error_code::config_bad_value,
          what + " in '" + amphibus::escaped(std::string(text), 80) + "'",
          "rows are " + std::string(header),
          {name, line, column}};
}

}  // namespace

bool parse_pence(std::string_view text, std::int64_t& into) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  const auto dot = digits.find('.');
  if (dot == std::string_view::npos || digits.size() - dot != 3) return false;
  std::uint64_t pounds = 0;
  std::uint64_t pence = 0;
  if (!parse_number(digits.substr(0, dot), pounds) || !parse_number(digits.substr(dot + 1), pence)) return false;
  if (pounds > 1'000'000'000'000) return false;
  into = static_cast<std::int64_t>(pounds * 100 + pence) * (negative ? -1 : 1);
  return true;
}

amphibus::result<std::vector<ReceivedT>> parse_orders(std::string_view text, const std::string& name) {
  std::vector<ReceivedT> rows;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (line == 1) {
      if (row != header) return bad_row(name, 1, row, 1, "another header");
      continue;
    }
    columns fields;
    if (const auto count = split(row, fields); count != column_count) {
      return bad_row(name, line, row, 1,
                     std::to_string(column_count) + " columns expected, " + std::to_string(count) + " found");
    }
    ReceivedT& made = rows.emplace_back();
    if (const auto bad = parse_row(fields, made); bad != column_count) {
      const auto column = static_cast<int>(fields[bad].data() - row.data()) + 1;
      return bad_row(name, line, row, column, "bad value '" + amphibus::escaped(std::string(fields[bad]), 40) + "'");
    }
  }
  return rows;
}

amphibus::result<std::vector<ReceivedT>> read_orders(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return amphibus::error(amphibus::error_code::config_unreadable,
                           "cannot read the orders '" + amphibus::escaped(path) + "'",
                           "pass -- --data FILE with online_retail_orders.csv", {path});
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_orders(text, path);
}

}  // namespace shop
