#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include <amphibus/base/event.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

/// `file:line`, safe to print.
std::string line_of(const error_location& where) {
  constexpr std::size_t path_size_max_bytes = 4'096;
  return escaped(where.file, path_size_max_bytes) + ":" + std::to_string(where.line);
}

std::string print(const origin& from) {
  switch (from.kind) {
    case origin_kind::code: return "default";
    case origin_kind::environment: return "environment " + escaped(from.where.file);
    case origin_kind::command_line: return escaped(from.where.file);
    case origin_kind::file: break;
  }
  return line_of(from.where) + ":" + std::to_string(from.where.column);
}

struct row {
  std::string name;
  std::string value;
  std::string from;
};

template <class Target>
void add_section(std::vector<row>& out, const std::string& section, const std::vector<option<Target>>& table,
                 const Target& of) {
  for (const auto& each : table) {
    out.push_back({section + "." + std::string(each.key), each.print(of), print(each.from(of))});
  }
}

/// Columns as wide as their widest cell, within limits, so that one long endpoint does not push all comments away.
std::string aligned(const std::vector<row>& rows) {
  constexpr std::size_t name_width_max = 80;
  constexpr std::size_t value_width_max = 48;
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const row& each : rows) {
    name_width = std::max(name_width, std::min(each.name.size(), name_width_max));
    value_width = std::max(value_width, std::min(each.value.size(), value_width_max));
  }
  std::string out;
  for (row each : rows) {
    if (each.value.empty()) each.value = "-";
    each.name.resize(std::max(each.name.size(), name_width), ' ');
    each.value.resize(std::max(each.value.size(), value_width), ' ');
    out += each.name + " = " + each.value + "  # " + each.from + "\n";
  }
  return out;
}

std::string print_modules(const process& of) {
  std::string out;
  for (const std::string& each : of.modules) out.append(out.empty() ? "" : ", ").append(escaped(each));
  return out;
}

/// Where the list of modules stands; a process without modules shows its own place.
origin modules_from(const process& of) {
  const error_location& where = of.module_places.empty() ? of.where : of.module_places.front();
  return {where.line > 0 ? origin_kind::file : origin_kind::code, where};
}

std::string place(const route& of) { return line_of(of.where) + " (topic = \"" + of.topic.value + "\")"; }

/// What of a route the environment or the command line changed, one line each.
std::string overridden(const route& of) {
  std::string out;
  for (const auto& each : route_options()) {
    const origin& from = each.from(of);
    if (from.kind != origin_kind::environment && from.kind != origin_kind::command_line) continue;
    out += "  changed    " + std::string(each.key) + " = " + each.print(of) + " by " + print(from) + "\n";
  }
  return out;
}

/// Writes one field so that no two lists of fields give the same text.
void add_field(std::string& to, const std::string& field) { to += std::to_string(field.size()) + ":" + field; }

}  // namespace

std::string describe(const configuration& what) {
  std::vector<row> rows;
  rows.push_back({"file", escaped(what.file), what.file.empty() ? "none: every module in one process" : "--config"});
  add_section(rows, "limits", limit_options(), what);
  for (const process& each : what.processes) {
    const std::string section = "process." + each.name;
    rows.push_back({section + ".modules", print_modules(each), print(modules_from(each))});
    add_section(rows, section, process_options(), each);
  }
  for (std::size_t i = 0; i != what.routes.size(); ++i) {
    add_section(rows, "route." + std::to_string(i), route_options(), what.routes[i]);
  }
  return aligned(rows);
}

std::optional<std::size_t> find_route(const configuration& in, std::string_view topic) noexcept {
  const auto found = std::find_if(in.routes.begin(), in.routes.end(),
                                  [&](const route& each) { return wire::topic_matches(each.topic.value, topic); });
  if (found == in.routes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - in.routes.begin());
}

std::string explain_route(const configuration& in, std::string_view topic) {
  const auto decided = find_route(in, topic);
  std::string out = escaped(std::string(topic)) + ": ";
  if (!decided) {
    out += "stays in the process; no route matches\n";
  } else {
    const route& by = in.routes[*decided];
    out += by.transport.value == "inproc" ? "stays in the process" : "leaves the process over " + by.transport.value;
    out +=
        ", level best_effort, overflow " + std::string(by.overflow.value == overflow::block ? "block" : "drop_newest");
    out += "\n  decided by " + place(by) + "\n" + overridden(by);
  }
  for (std::size_t i = 0; i != decided.value_or(in.routes.size()); ++i)
    out += "  passed     " + place(in.routes[i]) + "\n";
  if (decided && in.processes.size() < 2) out += "  with fewer than two processes nothing leaves this one\n";
  return out;
}

std::uint64_t routes_digest(const configuration& of) {
  std::string canonical = std::to_string(of.processes.size()) + ";";
  for (const process& each : of.processes) {
    add_field(canonical, each.name);
    canonical += std::to_string(each.modules.size()) + ";";
    for (const std::string& module : each.modules) add_field(canonical, module);
  }
  for (const route& each : of.routes) {
    for (const auto& part : route_options()) {
      if (part.key != "block_timeout") add_field(canonical, part.print(each));  // a matter of each publisher
    }
  }
  return XXH3_64bits(canonical.data(), canonical.size());
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t word_size_max = 64;  // longer words are no typos, and the distance is quadratic
  std::string best;
  if (word.size() > word_size_max) return best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const std::string& each : candidates) {
    if (each.size() > word_size_max) continue;
    std::vector<std::size_t> row(each.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i != word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j != each.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i] == each[j] ? 0U : 1U);
        diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, replaced}));
      }
    }
    const std::size_t near_enough = std::max<std::size_t>(1, (std::max(word.size(), each.size()) + 1) / 3);
    if (row.back() <= near_enough && row.back() < best_distance) {
      best_distance = row.back();
      best = each;
    }
  }
  return best;
}

}  // namespace amphibus::config
