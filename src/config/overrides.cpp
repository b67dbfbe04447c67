// The environment and the command line: text keys into the option tables.
#include <algorithm>
#include <cctype>
#include <charconv>

#include <unistd.h>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

constexpr std::string_view prefix = "AMPHIBUS_";

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = text.find(by);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + by.size());
  }
}

void unknown(const std::string& name, const std::string& section, const origin& from, error_collector& errors) {
  const std::vector<std::string> sections{"limits", "process", "route"};
  const bool known = std::find(sections.begin(), sections.end(), section) != sections.end();
  errors.add(error_code::config_unknown_key, "'" + escaped(name) + "' names no setting",
             (known ? "" : suggestion(section, sections)) +
                 "use limits.KEY, process.NAME.KEY or route.INDEX.KEY (AMPHIBUS_LIMITS__KEY … in the environment)",
             from.where);
}

/// The process called exactly `name`, else the one whose folded name is the same.
process* find_process(configuration& in, const std::string& name) {
  const auto find = [&in](const auto& fits) { return std::find_if(in.processes.begin(), in.processes.end(), fits); };
  auto found = find([&](const process& each) { return each.name == name; });
  if (found == in.processes.end()) found = find([&](const process& each) { return folded(each.name) == folded(name); });
  return found == in.processes.end() ? nullptr : &*found;
}

void set_process(configuration& to, const std::vector<std::string>& path, const std::string& value, const origin& from,
                 error_collector& errors) {
  if (process* const found = find_process(to, path[1])) {
    return apply(process_options(), *found, "process." + escaped(found->name), path[2], value, from, errors);
  }
  std::vector<std::string> names;
  for (const process& each : to.processes) names.push_back(escaped(each.name));
  const std::string hint = suggestion(path[1], names);
  errors.add(error_code::config_unknown_name, "process '" + escaped(path[1]) + "' is not in the file",
             hint.empty() ? "name a [process.NAME] of the file" : hint + "known: " + listed(names), from.where);
}

void set_route(configuration& to, const std::vector<std::string>& path, const std::string& value, const origin& from,
               error_collector& errors) {
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(path[1].data(), path[1].data() + path[1].size(), index);
  if (failure != std::errc{} || end != path[1].data() + path[1].size() || index >= to.routes.size()) {
    return errors.add(error_code::config_unknown_name, "route '" + escaped(path[1]) + "' is not in the file",
                      to.routes.empty() ? "the file has no [[route]]"
                                        : "use its position in the file, 0 to " + std::to_string(to.routes.size() - 1),
                      from.where);
  }
  apply(route_options(), to.routes[index], "route." + std::to_string(index), path[2], value, from, errors);
}

void set(configuration& to, const std::vector<std::string>& path, const std::string& name, const std::string& value,
         const origin& from, error_collector& errors) {
  if (path.size() == 2 && path[0] == "limits")
    return apply(limit_options(), to, "limits", path[1], value, from, errors);
  if (path.size() == 3 && path[0] == "process") return set_process(to, path, value, from, errors);
  if (path.size() == 3 && path[0] == "route") return set_route(to, path, value, from, errors);
  unknown(name, path[0], from, errors);
}

/// `LIMITS__KEY` as {limits, key}; the name of a process may itself contain `__`.
std::vector<std::string> path_of_variable(std::string_view name) {
  std::vector<std::string> path = split(name, "__");
  for (std::string& each : path) each = folded(each);
  while (path.size() > 3 && path[0] == "process") {
    path[1] += "__" + path[2];
    path.erase(path.begin() + 2);
  }
  return path;
}

bool is_ours(const std::string& name) {
  const std::string rest = name.size() > prefix.size() ? name.substr(prefix.size()) : "";
  return name.starts_with(prefix) &&
         (rest.starts_with("LIMITS__") || rest.starts_with("PROCESS__") || rest.starts_with("ROUTE__"));
}

}  // namespace

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& each : out) each = each == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  return out;
}

environment process_environment() {
  environment out;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view variable = *each;
    const auto equals = variable.find('=');
    if (equals == std::string_view::npos || !variable.starts_with(prefix)) continue;
    out.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return out;
}

void apply_overrides(configuration& to, const environment& variables, const std::vector<std::string>& overrides,
                     error_collector& errors) {
  for (const auto& [name, value] : variables) {
    if (!is_ours(name)) continue;
    const origin from{origin_kind::environment, {name}};
    set(to, path_of_variable(std::string_view(name).substr(prefix.size())), name, value, from, errors);
  }
  for (const std::string& each : overrides) {
    const origin from{origin_kind::command_line, {"--set " + each}};
    const auto equals = each.find('=');
    if (equals == std::string::npos) {
      errors.add(error_code::command_line, "--set '" + escaped(each) + "' has no '='", "write --set key=value",
                 from.where);
      continue;
    }
    const std::string name = each.substr(0, equals);
    set(to, split(name, "."), name, each.substr(equals + 1), from, errors);
  }
}

}  // namespace amphibus::config
