#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <amphibus/base/event.hpp>
#include <amphibus/config/config.hpp>

namespace amphibus::config {

/// One key of a section. `set` takes text, returns what is wrong with it, or empty, and changes nothing then.
template <class Target>
struct option {
  std::string_view key;
  std::string_view allowed;  ///< for error messages: `a duration with unit, e.g. 500ms, from 1ms to 1h`
  bool integers = false;     ///< a file may also write a bare integer
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
  /// Reports a bad value of the setting `name`, e.g. route.0.topic.
  void refuse(const std::string& name, const std::string& wrong, std::string_view allowed, const error_location& where);
  /// Reports a key that `section` does not have.
  void unknown_key(const std::string& key, std::string_view section, const std::vector<std::string>& known,
                   const error_location& where);
  [[nodiscard]] bool has(error_code code) const;
  /// A value of this setting was refused: do not call it missing as well.
  [[nodiscard]] bool refused(const std::string& name) const { return refused_.contains(name); }
  [[nodiscard]] std::vector<error> take();

 private:
  std::vector<error> errors_;
  std::set<std::string> refused_;
};

template <class Target>
std::vector<std::string> keys_of(const std::vector<option<Target>>& table) {
  std::vector<std::string> out;
  for (const auto& each : table) out.emplace_back(each.key);
  return out;
}

/// `front, back`; many are cut.
std::string listed(const std::vector<std::string>& words);
/// `did you mean front? `, or empty.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);
/// How process names are compared with variables: in lower case, `-` as `_`.
std::string folded(std::string_view name);

/// Looks `key` up in a table and sets it, or reports an unknown key or a bad value.
template <class Target>
void apply(const std::vector<option<Target>>& table, Target& to, std::string_view section, const std::string& key,
           const std::string& text, const origin& from, error_collector& errors) {
  for (const auto& each : table) {
    if (each.key != key) continue;
    const std::string wrong = each.set(to, text, from);
    if (!wrong.empty()) errors.refuse(std::string(section) + "." + key, wrong, each.allowed, from.where);
    return;
  }
  errors.unknown_key(key, section, keys_of(table), from.where);
}

/// Everything that needs more than one value: names, pairs, conflicts.
void validate(const configuration& value, const vocabulary& known, error_collector& errors);

/// AMPHIBUS_… variables and --set arguments, in that order.
void apply_overrides(configuration& to, const environment& variables, const std::vector<std::string>& overrides,
                     error_collector& errors);

}  // namespace amphibus::config
