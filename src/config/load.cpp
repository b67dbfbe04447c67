// The only file that knows TOML: it walks the document and feeds text into the option tables.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <stdexcept>

// The parser of toml++ 3.3 asserts on some malformed keys, e.g. `[[[`: make that an exception in every build type, since
// a file must not be able to end the process. Under NDEBUG toml++ drops the check and reads on, so never let it see that.
#undef NDEBUG
[[noreturn]] static void malformed_toml() { throw std::invalid_argument("malformed key or table header"); }
#define TOML_ASSERT(condition) (static_cast<bool>(condition) ? void(0) : malformed_toml())
#include <toml++/toml.h>

#include <amphibus/base/event.hpp>

#include "config/reader.hpp"

namespace amphibus::config {
namespace {

constexpr std::size_t file_size_max_bytes = std::size_t{1} << 20U;

/// Walks one document; every finding goes to the collector with its position.
class document_reader {
 public:
  document_reader(std::string name, error_collector& errors) : name_(std::move(name)), errors_(errors) {}

  void read(const toml::table& root, configuration& into) {
    for (const auto& [key, node] : root) {
      if (key.str() == "limits") {
        if (const auto* table = as_table(node, "limits")) read_section(*table, "limits", limit_options(), into);
      } else if (key.str() == "process") {
        if (const auto* table = as_table(node, "process")) read_processes(*table, into);
      } else if (key.str() == "route") {
        read_routes(node, into);
      } else {
        unknown(key, "the file", {"process", "route", "limits"});
      }
    }
    std::sort(into.processes.begin(), into.processes.end(),
              [](const process& a, const process& b) { return a.where.line < b.where.line; });
  }

 private:
  [[nodiscard]] error_location at(const toml::source_region& where) const {
    return {name_, static_cast<int>(where.begin.line), static_cast<int>(where.begin.column)};
  }
  [[nodiscard]] origin from(const toml::node& node) const { return {origin_kind::file, at(node.source())}; }

  void unknown(const toml::key& key, const std::string& section, const std::vector<std::string>& known) {
    const std::string word(key.str());
    const std::string near = did_you_mean(word, known);
    std::string list;
    for (const std::string& each : known) list += (list.empty() ? "" : ", ") + each;
    errors_.add(error_code::config_unknown_key, "unknown key '" + escaped(word) + "' in " + section,
                (near.empty() ? "" : "did you mean " + near + "? ") + "known keys: " + list, at(key.source()));
  }

  const toml::table* as_table(const toml::node& node, const std::string& what) {
    if (const auto* table = node.as_table()) return table;
    errors_.add(error_code::config_bad_value, what + " is not a table", "write [" + what + "…]", at(node.source()));
    return nullptr;
  }

  /// Text of a value that an option takes: strings and integers; nullopt after reporting anything else.
  std::optional<std::string> text_of(const toml::node& node, const std::string& what) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    errors_.add(error_code::config_bad_value, what + " has the wrong type", "write a string, or an integer for a size",
                at(node.source()));
    return std::nullopt;
  }

  template <class Target>
  void read_value(const toml::key& key, const toml::node& node, const std::string& section,
                  const std::vector<option<Target>>& table, Target& into) {
    const bool known = std::any_of(table.begin(), table.end(), [&](const auto& each) { return each.key == key.str(); });
    if (!known) {  // the position of the key, not of its value
      const origin here{origin_kind::file, at(key.source())};
      return apply(table, into, section, std::string(key.str()), "", here, errors_);
    }
    if (const auto text = text_of(node, section + "." + std::string(key.str()))) {
      apply(table, into, section, std::string(key.str()), *text, from(node), errors_);
    }
  }

  template <class Target>
  void read_section(const toml::table& section, const std::string& name, const std::vector<option<Target>>& table,
                    Target& into) {
    for (const auto& [key, node] : section) read_value(key, node, name, table, into);
  }

  void read_processes(const toml::table& section, configuration& into) {
    for (const auto& [name, node] : section) {
      const std::string full = "process." + escaped(std::string(name.str()));
      const auto* table = as_table(node, full);
      if (table == nullptr) continue;
      process& each = into.processes.emplace_back();
      each.name = std::string(name.str());
      each.where = at(node.source());
      for (const auto& [key, value] : *table) {
        if (key.str() == "modules") {
          read_modules(value, full, each);
        } else {
          read_value(key, value, full, process_options(), each);
        }
      }
    }
  }

  void read_modules(const toml::node& node, const std::string& section, process& into) {
    const auto* list = node.as_array();
    if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const auto& each) { return each.is_string(); })) {
      return errors_.add(error_code::config_bad_value, section + ".modules has the wrong type",
                         "write a list of names, e.g. modules = [\"orders\", \"billing\"]", at(node.source()));
    }
    for (const auto& each : *list) into.modules.push_back(each.as_string()->get());
  }

  void read_routes(const toml::node& node, configuration& into) {
    const auto* list = node.as_array();
    if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const auto& each) { return each.is_table(); })) {
      return errors_.add(error_code::config_bad_value, "route is not a list of tables", "write [[route]] with two brackets",
                         at(node.source()));
    }
    for (const auto& each : *list) {
      const std::string section = "route." + std::to_string(into.routes.size());
      route& made = into.routes.emplace_back();
      made.where = at(each.source());
      read_section(*each.as_table(), section, route_options(), made);
    }
  }

  const std::string name_;
  error_collector& errors_;
};

error unreadable(const std::string& path, const std::string& why) {
  return {error_code::config_unreadable, "cannot read the configuration '" + escaped(path) + "': " + why,
          "give the path of a readable TOML file", {path}};
}

}  // namespace

loaded load_text(std::string_view text, const std::string& name, const vocabulary& known, const environment& variables,
                 const std::vector<std::string>& overrides) {
  loaded out;
  out.value.file = name;
  error_collector errors;
  try {
    document_reader(name, errors).read(toml::parse(text, name), out.value);
    apply_overrides(out.value, variables, overrides, errors);
    validate(out.value, known, errors);
  } catch (const toml::parse_error& failure) {
    const auto& where = failure.source().begin;
    errors.add(error_code::config_syntax, "not TOML: " + escaped(std::string(failure.description())),
               "mend the syntax at this position; see https://toml.io",
               {name, static_cast<int>(where.line), static_cast<int>(where.column)});
  } catch (const std::invalid_argument& failure) {
    errors.add(error_code::config_syntax, std::string("not TOML: ") + failure.what(),
               "check the brackets and keys of the file; see https://toml.io", {name});
  }
  out.errors = errors.take();
  return out;
}

loaded load_file(const std::string& path, const vocabulary& known, const environment& variables,
                 const std::vector<std::string>& overrides) {
  std::error_code failure;
  const auto kind = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(kind)) return {{}, {unreadable(path, "there is no such file")}};
  if (!std::filesystem::is_regular_file(kind)) return {{}, {unreadable(path, "it is not a regular file")}};
  if (std::filesystem::file_size(path, failure) > file_size_max_bytes) {
    return {{}, {unreadable(path, "it is larger than 1 MiB")}};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, {unreadable(path, "permission denied")}};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return load_text(text, path, known, variables, overrides);
}

}  // namespace amphibus::config
