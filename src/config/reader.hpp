#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/event.hpp>
#include <amphibus/config/config.hpp>

namespace amphibus::config {

/// Sets one option from text; returns what is wrong with the text, or empty. Throws nothing.
template <class Target>
struct option {
  std::string_view key;
  std::string_view allowed;  ///< for error messages: `a duration with unit, e.g. 500ms, from 1ms to 1h`
  std::string (*set)(Target& to, const std::string& text, const origin& from);
  std::string (*print)(const Target& of);
  const origin& (*from)(const Target& of);
};

/// One table each drives the file, the environment, --set and describe().
const std::vector<option<configuration>>& limit_options();
const std::vector<option<process>>& process_options();
const std::vector<option<route>>& route_options();

/// Collects every error, with the position that `origin` carries.
class error_collector {
 public:
  void add(error_code code, std::string what, std::string mend, const error_location& where);
  void add(error why) { errors_.push_back(std::move(why)); }
  [[nodiscard]] std::vector<error> take();

 private:
  std::vector<error> errors_;
};

/// Looks `key` up in a table and sets it, or reports an unknown key or a bad value.
template <class Target>
void apply(const std::vector<option<Target>>& table, Target& to, std::string_view section, const std::string& key,
           const std::string& text, const origin& from, error_collector& errors) {
  std::vector<std::string> known;
  for (const auto& each : table) {
    known.emplace_back(each.key);
    if (each.key != key) continue;
    const std::string wrong = each.set(to, text, from);
    if (!wrong.empty()) {
      errors.add(error_code::config_bad_value, std::string(section) + "." + key + " " + wrong,
                 "allowed: " + std::string(each.allowed), from.where);
    }
    return;
  }
  const std::string near = did_you_mean(key, known);
  std::string list;
  for (const std::string& each : known) list += (list.empty() ? "" : ", ") + each;
  errors.add(error_code::config_unknown_key, "unknown key '" + escaped(key) + "' in " + std::string(section),
             (near.empty() ? "" : "did you mean " + near + "? ") + "known keys: " + list, from.where);
}

/// Everything that needs more than one value: names, pairs, conflicts.
void validate(const configuration& value, const vocabulary& known, error_collector& errors);

/// AMPHIBUS_… variables and --set arguments, in that order.
void apply_overrides(configuration& to, const environment& variables, const std::vector<std::string>& overrides,
                     error_collector& errors);

}  // namespace amphibus::config
