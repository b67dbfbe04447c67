#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <amphibus/queue/retain_rule.hpp>

namespace amphibus::config {

/// `500ms`, `10s`, `2min`, `1h`; the unit is required. Returns: nullopt for anything else, negatives and overflow.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) noexcept;
/// `4096`, `64KiB`, `16MiB`, `1GiB` in bytes. Returns: nullopt for anything else and overflow.
std::optional<std::size_t> parse_size(std::string_view text) noexcept;
/// `nothing`, `last_value`, `history(10)`, or with the limit of all keys together `last_value(1000)`,
/// `history(10, 1000)`. Returns: nullopt for anything else, and outside the limits.
std::optional<queue::retain_rule> parse_retain(std::string_view text) noexcept;
/// `10s`, `500ms`: the shortest exact form.
std::string print_duration(std::chrono::nanoseconds value);
/// `16MiB`: the shortest exact form.
std::string print_size(std::size_t bytes);
/// As parse_retain() reads it.
std::string print_retain(const queue::retain_rule& rule);

}  // namespace amphibus::config
