#include <algorithm>
#include <map>

#include <amphibus/base/event.hpp>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& each : words) out += (out.empty() ? "" : ", ") + each;
  return out;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = did_you_mean(word, known);
  return (near.empty() ? "" : "did you mean " + near + "? ") + "known: " + joined(known);
}

bool is_remote(const route& each) { return !each.transport.value.empty() && each.transport.value != "inproc"; }

void check_routes(const configuration& value, const vocabulary& known, error_collector& errors) {
  std::vector<std::string> transports = known.transports;
  transports.emplace_back("inproc");
  for (std::size_t i = 0; i != value.routes.size(); ++i) {
    const route& each = value.routes[i];
    const std::string section = "route." + std::to_string(i);
    if (each.topic.from.kind == origin_kind::code && each.topic.value.empty()) {
      errors.add(error_code::config_bad_value, section + " has no valid topic", "add topic = \"shop.>\"", each.where);
    }
    if (each.transport.value.empty()) {
      errors.add(error_code::config_bad_value, section + " has no transport", "add transport = \"" + transports.front() + "\"",
                 each.where);
    } else if (std::find(transports.begin(), transports.end(), each.transport.value) == transports.end()) {
      errors.add(error_code::config_unknown_name, "transport '" + escaped(each.transport.value) + "' is not in this program",
                 suggestion(each.transport.value, transports), each.transport.from.where);
    } else if (is_remote(each) && value.processes.empty()) {
      errors.add(error_code::config_conflict, section + " leaves the process, but the file has no processes",
                 "add [process.NAME] with modules and endpoint, or delete the route", each.where);
    }
  }
}

void check_modules(const configuration& value, const vocabulary& known, error_collector& errors) {
  std::map<std::string, std::string> owner;
  for (const process& each : value.processes) {
    for (const std::string& module : each.modules) {
      const auto [first, fresh] = owner.emplace(module, each.name);
      if (!fresh) {
        errors.add(error_code::config_conflict,
                   "module '" + escaped(module) + "' is in process " + first->second + " and in process " + each.name,
                   "a module runs in one process", each.where);
      }
      const bool exists = std::find(known.modules.begin(), known.modules.end(), module) != known.modules.end();
      if (!known.modules.empty() && !exists) {
        errors.add(error_code::config_unknown_name, "module '" + escaped(module) + "' is not in this program",
                   suggestion(module, known.modules), each.where);
      }
    }
  }
  if (value.processes.empty()) return;
  for (const std::string& module : known.modules) {
    if (owner.contains(module)) continue;
    errors.add(error_code::config_conflict, "module '" + module + "' is in no process", "add it to the modules of one",
               {value.file});
  }
}

void check_endpoints(const configuration& value, error_collector& errors) {
  const bool remote = std::any_of(value.routes.begin(), value.routes.end(), is_remote);
  std::map<std::string, std::string> owner;
  for (const process& each : value.processes) {
    if (each.name.empty() || !std::all_of(each.name.begin(), each.name.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '-' || c == '_';
        })) {
      errors.add(error_code::config_bad_value, "process name '" + escaped(each.name) + "' is not of [A-Za-z0-9_-]",
                 "rename the process", each.where);
    }
    const std::string& endpoint = each.endpoint.value;
    if (endpoint.empty()) {
      if (remote && value.processes.size() > 1) {
        errors.add(error_code::config_bad_value, "process " + each.name + " has no valid endpoint, but routes leave the process",
                   "add endpoint = \"tcp://127.0.0.1:7701\" or \"ipc:///tmp/NAME\"", each.where);
      }
      continue;
    }
    const auto [first, fresh] = owner.emplace(endpoint, each.name);
    if (!fresh) {
      errors.add(error_code::config_conflict, "processes " + first->second + " and " + each.name + " have the same endpoint " +
                                                  escaped(endpoint),
                 "give each process an endpoint of its own", each.endpoint.from.where);
    }
  }
}

}  // namespace

void error_collector::add(error_code code, std::string what, std::string mend, const error_location& where) {
  errors_.emplace_back(code, std::move(what), std::move(mend), where);
}

std::vector<error> error_collector::take() {
  std::stable_sort(errors_.begin(), errors_.end(), [](const error& a, const error& b) {
    return std::pair(a.where().line, a.where().column) < std::pair(b.where().line, b.where().column);
  });
  return std::move(errors_);
}

void validate(const configuration& value, const vocabulary& known, error_collector& errors) {
  check_routes(value, known, errors);
  check_modules(value, known, errors);
  check_endpoints(value, errors);
}

}  // namespace amphibus::config
