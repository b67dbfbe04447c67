#include <algorithm>
#include <map>

#include <amphibus/base/event.hpp>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

bool is_remote(const route& each) { return !each.transport.value.empty() && each.transport.value != "inproc"; }

void check_routes(const configuration& value, const vocabulary& known, error_collector& errors) {
  std::vector<std::string> transports = known.transports;
  transports.emplace_back("inproc");
  for (std::size_t i = 0; i != value.routes.size(); ++i) {
    const route& each = value.routes[i];
    const std::string section = "route." + std::to_string(i);
    if (each.topic.value.empty() && !errors.refused(section + ".topic")) {
      errors.add(error_code::config_bad_value, section + " has no topic", "add topic = \"shop.>\"", each.where);
    }
    if (each.transport.value.empty()) {
      if (errors.refused(section + ".transport")) continue;
      errors.add(error_code::config_bad_value, section + " has no transport",
                 "add transport = \"" + transports.front() + "\"", each.where);
    } else if (std::find(transports.begin(), transports.end(), each.transport.value) == transports.end()) {
      errors.add(
          error_code::config_unknown_name, "transport '" + escaped(each.transport.value) + "' is not in this program",
          suggestion(each.transport.value, transports) + "known: " + listed(transports), each.transport.from.where);
    } else if (is_remote(each) && value.processes.empty()) {
      errors.add(error_code::config_conflict, section + " leaves the process, but the file has no processes",
                 "add [process.NAME] with modules and endpoint, or delete the route", each.where);
    }
  }
}

void check_module(const process& of, std::size_t index, const vocabulary& known,
                  std::map<std::string, std::string>& owners, error_collector& errors) {
  const std::string& module = of.modules[index];
  const error_location& where = index < of.module_places.size() ? of.module_places[index] : of.where;
  const auto [owner, fresh] = owners.emplace(module, of.name);
  if (!fresh) {
    const std::string places =
        owner->second == of.name ? "' is listed twice in process " + escaped(of.name)
                                 : "' is in process " + escaped(owner->second) + " and in process " + escaped(of.name);
    errors.add(error_code::config_conflict, "module '" + escaped(module) + places, "a module runs in one process",
               where);
  }
  if (known.modules.empty() || std::find(known.modules.begin(), known.modules.end(), module) != known.modules.end())
    return;
  errors.add(error_code::config_unknown_name, "module '" + escaped(module) + "' is not in this program",
             suggestion(module, known.modules) + "known: " + listed(known.modules), where);
}

void check_modules(const configuration& value, const vocabulary& known, error_collector& errors) {
  std::map<std::string, std::string> owners;
  for (const process& each : value.processes) {
    for (std::size_t i = 0; i != each.modules.size(); ++i) check_module(each, i, known, owners, errors);
  }
  if (value.processes.empty()) return;
  for (const std::string& module : known.modules) {
    if (owners.contains(module)) continue;
    errors.add(error_code::config_conflict, "module '" + module + "' is in no process", "add it to the modules of one",
               {value.file});
  }
}

/// Names travel to the peers, in texts that are bounded.
constexpr std::size_t process_name_size_max_bytes = 100;

/// Names must be distinct also in variables, which know neither case nor dashes.
void check_names(const configuration& value, error_collector& errors) {
  std::map<std::string, std::string> owner;
  for (const process& each : value.processes) {
    const bool valid = !each.name.empty() && std::all_of(each.name.begin(), each.name.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    if (!valid) {
      errors.add(error_code::config_bad_value, "process name '" + escaped(each.name) + "' is not of [A-Za-z0-9_-]",
                 "rename the process", each.where);
    }
    if (each.name.size() > process_name_size_max_bytes) {
      errors.add(error_code::config_bad_value,
                 "process name '" + escaped(each.name, 40) + "' is longer than " +
                     std::to_string(process_name_size_max_bytes) + " bytes",
                 "rename the process", each.where);
    }
    const auto [first, fresh] = owner.emplace(folded(each.name), each.name);
    if (!fresh) {
      errors.add(
          error_code::config_conflict,
          "processes " + escaped(first->second) + " and " + escaped(each.name) + " differ only in case or dashes",
          "rename one: AMPHIBUS_PROCESS__NAME__… cannot tell them apart", each.where);
    }
  }
}

void check_endpoints(const configuration& value, error_collector& errors) {
  const bool remote = std::any_of(value.routes.begin(), value.routes.end(), is_remote);
  std::map<std::string, std::string> owner;
  for (const process& each : value.processes) {
    const std::string& endpoint = each.endpoint.value;
    if (endpoint.empty()) {
      if (remote && value.processes.size() > 1 && !errors.refused("process." + escaped(each.name) + ".endpoint")) {
        errors.add(error_code::config_bad_value,
                   "process " + escaped(each.name) + " has no endpoint, but routes leave the process",
                   "add endpoint = \"tcp://127.0.0.1:7701\" or \"ipc:///tmp/NAME\"", each.where);
      }
      continue;
    }
    const auto [first, fresh] = owner.emplace(endpoint, each.name);
    if (!fresh) {
      errors.add(error_code::config_conflict,
                 "processes " + escaped(first->second) + " and " + escaped(each.name) + " have the same endpoint " +
                     escaped(endpoint),
                 "give each process an endpoint of its own", each.endpoint.from.where);
    }
  }
}

}  // namespace

result<std::string> choose_process(const configuration& in, const std::string& asked) {
  if (asked.empty() && in.processes.size() <= 1) {
    return in.processes.empty() ? std::string("main") : in.processes.front().name;
  }
  std::vector<std::string> names;
  for (const auto& each : in.processes) names.push_back(each.name);
  if (std::find(names.begin(), names.end(), asked) != names.end()) return asked;
  const std::string what = asked.empty()
                               ? "the file has " + std::to_string(names.size()) + " processes and none was chosen"
                               : "--process '" + escaped(asked) + "' is not in the file";
  const std::string choice =
      names.empty() ? "the file has no [process.NAME]" : "choose --process from: " + listed(names);
  return error(error_code::config_unknown_name, what,
               suggestion(asked, names) + choice + "; or start all with `up --config FILE`", {"--process"});
}

void validate(const configuration& value, const vocabulary& known, error_collector& errors) {
  check_routes(value, known, errors);
  check_modules(value, known, errors);
  check_names(value, errors);
  check_endpoints(value, errors);
}

}  // namespace amphibus::config
