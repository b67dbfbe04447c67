#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <numeric>

#include <amphibus/base/event.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

std::string print(const origin& from) {
  switch (from.kind) {
    case origin_kind::code: return "default";
    case origin_kind::environment: return "environment " + from.where.file;
    case origin_kind::command_line: return from.where.file;
    case origin_kind::file: break;
  }
  return from.where.file + ":" + std::to_string(from.where.line) + ":" + std::to_string(from.where.column);
}

void add_line(std::string& out, std::string name, const std::string& value, const std::string& from) {
  constexpr std::size_t name_width = 34;
  constexpr std::size_t value_width = 28;
  name.resize(std::max(name.size(), name_width), ' ');
  std::string shown = value.empty() ? "-" : value;
  shown.resize(std::max(shown.size(), value_width), ' ');
  out += name + " = " + shown + "  # " + from + "\n";
}

template <class Target>
void add_section(std::string& out, const std::string& section, const std::vector<option<Target>>& table, const Target& of) {
  for (const auto& each : table) add_line(out, section + "." + std::string(each.key), each.print(of), print(each.from(of)));
}

std::string joined(const std::vector<std::string>& words) {
  return std::accumulate(words.begin(), words.end(), std::string(),
                         [](std::string sum, const std::string& each) { return sum + (sum.empty() ? "" : ",") + each; });
}

std::string place(const route& of) {
  return of.where.file + ":" + std::to_string(of.where.line) + " (topic = \"" + of.topic.value + "\")";
}

}  // namespace

std::string describe(const configuration& what) {
  std::string out;
  add_line(out, "file", what.file, what.file.empty() ? "none: every module in one process" : "--config");
  add_section(out, "limits", limit_options(), what);
  for (const process& each : what.processes) {
    const std::string section = "process." + each.name;
    add_line(out, section + ".modules", joined(each.modules), each.where.file + ":" + std::to_string(each.where.line));
    add_section(out, section, process_options(), each);
  }
  for (std::size_t i = 0; i != what.routes.size(); ++i) {
    add_section(out, "route." + std::to_string(i), route_options(), what.routes[i]);
  }
  return out;
}

std::optional<std::size_t> find_route(const configuration& in, std::string_view topic) noexcept {
  const auto found = std::find_if(in.routes.begin(), in.routes.end(),
                                  [&](const route& each) { return wire::topic_matches(each.topic.value, topic); });
  if (found == in.routes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - in.routes.begin());
}

std::string explain_route(const configuration& in, std::string_view topic) {
  const auto decided = find_route(in, topic);
  std::string out = std::string(topic) + ": ";
  if (!decided) {
    out += "stays in the process; no route matches\n";
  } else {
    const route& by = in.routes[*decided];
    out += by.transport.value == "inproc" ? "stays in the process" : "leaves the process over " + by.transport.value;
    out += ", level best_effort, overflow " + std::string(by.overflow.value == overflow::block ? "block" : "drop_newest");
    out += "\n  decided by " + place(by) + "\n";
  }
  for (std::size_t i = 0; i != decided.value_or(in.routes.size()); ++i) out += "  passed     " + place(in.routes[i]) + "\n";
  if (decided && in.processes.size() < 2) out += "  with fewer than two processes nothing leaves this one\n";
  return out;
}

std::uint64_t routes_digest(const configuration& of) {
  std::string canonical;
  for (const process& each : of.processes) canonical += each.name + ":" + joined(each.modules) + "\n";
  for (const route& each : of.routes) {
    canonical += each.topic.value + "|" + each.transport.value + "|" +
                 std::to_string(static_cast<int>(each.level.value)) + "|" +
                 std::to_string(static_cast<int>(each.overflow.value)) + "\n";
  }
  return XXH3_64bits(canonical.data(), canonical.size());
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& each : candidates) {
    std::vector<std::size_t> row(each.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i != word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j != each.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i] == each[j] ? 0U : 1U);
        diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, replaced}));
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = each;
    }
  }
  return best;
}

}  // namespace amphibus::config
