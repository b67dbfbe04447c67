#include <algorithm>
#include <limits>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

constexpr std::size_t list_size_max_bytes = 1'000;  // nobody reads more names than that

}  // namespace

void error_collector::add(error_code code, std::string what, std::string mend, const error_location& where) {
  errors_.emplace_back(code, std::move(what), std::move(mend), where);
}

void error_collector::refuse(const std::string& name, const std::string& wrong, std::string_view allowed,
                             const error_location& where) {
  refused_.insert(name);
  add(error_code::config_bad_value, name + " " + wrong, "allowed: " + std::string(allowed), where);
}

void error_collector::unknown_key(const std::string& key, std::string_view section,
                                  const std::vector<std::string>& known, const error_location& where) {
  add(error_code::config_unknown_key, "unknown key '" + escaped(key) + "' in " + std::string(section),
      suggestion(key, known) + "known keys: " + listed(known), where);
}

bool error_collector::has(error_code code) const {
  return std::any_of(errors_.begin(), errors_.end(), [code](const error& each) { return each.code() == code; });
}

std::vector<error> error_collector::take() {
  const auto position = [](const error& of) {
    const int line = of.where().line > 0 ? of.where().line : std::numeric_limits<int>::max();
    return std::pair(line, of.where().column);
  };
  std::stable_sort(errors_.begin(), errors_.end(),
                   [&](const error& a, const error& b) { return position(a) < position(b); });
  return std::move(errors_);
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& each : words) {
    if (out.size() >= list_size_max_bytes) return out + ", … (" + std::to_string(words.size()) + " in all)";
    out.append(out.empty() ? "" : ", ").append(each);
  }
  return out;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = did_you_mean(word, known);
  return near.empty() ? "" : "did you mean " + near + "? ";
}

}  // namespace amphibus::config
