#include "config/parse_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace amphibus::config {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first: printing takes the first that divides.
constexpr std::array<unit, 6> duration_units{{{"h", 3'600'000'000'000},
                                              {"min", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1000},
                                              {"ns", 1}}};
constexpr std::array<unit, 4> size_units{{{"GiB", 1U << 30U}, {"MiB", 1U << 20U}, {"KiB", 1U << 10U}, {"B", 1}}};

template <std::size_t Count>
std::optional<std::uint64_t> parse(std::string_view text, const std::array<unit, Count>& units, std::string_view bare) {
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{}) return std::nullopt;
  std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
  if (name.empty()) name = bare;
  for (const unit& each : units) {
    if (each.name != name) continue;
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / each.factor)
      return std::nullopt;
    return number * each.factor;
  }
  return std::nullopt;
}

template <std::size_t Count>
std::string print(std::uint64_t value, const std::array<unit, Count>& units) {
  for (const unit& each : units) {
    if (value >= each.factor && value % each.factor == 0)
      return std::to_string(value / each.factor) + std::string(each.name);
  }
  return "0" + std::string(units.back().name);
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) noexcept {
  const auto value = parse(text, duration_units, "");
  if (!value) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::size_t> parse_size(std::string_view text) noexcept { return parse(text, size_units, "B"); }

std::optional<queue::retain_rule> parse_retain(std::string_view text) noexcept {
  if (text == "nothing") return queue::retain_rule{};
  if (text == "last_value") return queue::retain_rule{1};
  const bool is_history = text.starts_with("history(");
  if ((!is_history && !text.starts_with("last_value(")) || !text.ends_with(')')) return std::nullopt;
  text.remove_suffix(1);
  text.remove_prefix(text.find('(') + 1);
  std::array<std::size_t, 2> numbers{};
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    if (count == numbers.size()) return std::nullopt;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), numbers[count]);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    more = text.starts_with(',');
    if (more) text.remove_prefix(std::min(text.find_first_not_of(' ', 1), text.size()));
  }
  if (!text.empty() || (!is_history && count != 1)) return std::nullopt;
  queue::retain_rule out{is_history ? numbers[0] : 1};
  if (!is_history || count == 2) out.messages_max = numbers[is_history ? 1 : 0];
  return out.is_valid() ? std::optional(out) : std::nullopt;
}

std::string print_duration(std::chrono::nanoseconds value) {
  return print(static_cast<std::uint64_t>(value.count()), duration_units);
}

std::string print_size(std::size_t bytes) { return print(bytes, size_units); }

std::string print_retain(const queue::retain_rule& rule) {
  if (rule.per_key == 0) return "nothing";
  const std::string limit = std::to_string(rule.messages_max);
  const bool usual = rule.messages_max == queue::retained_messages_default;
  if (rule.per_key == 1) return usual ? "last_value" : "last_value(" + limit + ")";
  return "history(" + std::to_string(rule.per_key) + (usual ? ")" : ", " + limit + ")");
}

}  // namespace amphibus::config
