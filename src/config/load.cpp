// The only file that knows TOML: it walks the document and feeds text into the option tables.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

// A copy of toml++ of our own: the settings below must not meet the toml++ of a program that links this library.
#define toml amphibus_toml
// Values deeper than any configuration are refused with their position.
#define TOML_MAX_NESTED_VALUES 16
// The parser of toml++ 3.3 asserts on some malformed keys, e.g. `[[[`: make that an exception in every build type,
// since a file must not be able to end the process. Under NDEBUG toml++ drops the check and reads on, so never let it
// see that.
#undef NDEBUG
[[noreturn]] static void malformed_toml() { throw std::invalid_argument("malformed key or table header"); }
#define TOML_ASSERT(condition) (static_cast<bool>(condition) ? void(0) : malformed_toml())
#include <toml++/toml.h>

#include <amphibus/base/event.hpp>

#include "config/toml_scan.hpp"
#include "config/reader.hpp"

namespace amphibus::config {
namespace {

constexpr std::size_t file_size_max_bytes = std::size_t{1} << 20U;
constexpr std::size_t key_parts_max = 8;

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
        errors_.unknown_key(std::string(key.str()), "the file", {"process", "route", "limits"}, at(key.source()));
      }
    }
    std::sort(into.processes.begin(), into.processes.end(), [](const process& a, const process& b) {
      return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
    });
  }

 private:
  [[nodiscard]] error_location at(const toml::source_region& where) const {
    return {name_, static_cast<int>(where.begin.line), static_cast<int>(where.begin.column)};
  }
  [[nodiscard]] origin from(const toml::node& node) const { return {origin_kind::file, at(node.source())}; }

  const toml::table* as_table(const toml::node& node, const std::string& what) {
    if (const auto* table = node.as_table()) return table;
    errors_.add(error_code::config_bad_value, what + " is not a table", "write [" + what + "…]", at(node.source()));
    return nullptr;
  }

  /// Text of a value that the option takes; nullopt for another type.
  template <class Target>
  static std::optional<std::string> text_of(const toml::node& node, const option<Target>& of) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer(); number != nullptr && of.integers) return std::to_string(number->get());
    return std::nullopt;
  }

  /// `others`: keys of the section that its table does not know.
  template <class Target>
  void read_value(const toml::key& key, const toml::node& node, const std::string& section,
                  const std::vector<option<Target>>& table, Target& into, const std::vector<std::string>& others = {}) {
    const std::string word(key.str());
    const auto found = std::find_if(table.begin(), table.end(), [&](const auto& each) { return each.key == word; });
    if (found == table.end()) {
      std::vector<std::string> known = keys_of(table);
      known.insert(known.begin(), others.begin(), others.end());
      errors_.unknown_key(word, section, known, at(key.source()));
    } else if (const auto text = text_of(node, *found)) {
      apply(table, into, section, word, *text, from(node), errors_);
    } else {
      errors_.refuse(section + "." + word, "has the wrong type", found->allowed, at(node.source()));
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
          read_value(key, value, full, process_options(), each, {"modules"});
        }
      }
    }
  }

  void read_modules(const toml::node& node, const std::string& section, process& into) {
    const auto* list = node.as_array();
    if (list == nullptr ||
        !std::all_of(list->begin(), list->end(), [](const auto& each) { return each.is_string(); })) {
      return errors_.add(error_code::config_bad_value, section + ".modules has the wrong type",
                         "write a list of names, e.g. modules = [\"orders\", \"billing\"]", at(node.source()));
    }
    for (const auto& each : *list) {
      into.modules.push_back(each.as_string()->get());
      into.module_places.push_back(at(each.source()));
    }
  }

  void read_routes(const toml::node& node, configuration& into) {
    const auto* list = node.as_array();
    if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const auto& each) { return each.is_table(); })) {
      return errors_.add(error_code::config_bad_value, "route is not a list of tables",
                         "write [[route]] with two brackets", at(node.source()));
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
  return {error_code::config_unreadable,
          "cannot read the configuration '" + escaped(path) + "': " + why,
          "give the path of a readable TOML file",
          {path}};
}

error too_large(const std::string& path) { return unreadable(path, "it is larger than 1 MiB"); }

/// The line that makes the parser assert, which carries no position: the last of the shortest run of lines that does.
int malformed_line(std::string_view text) {
  std::vector<std::size_t> ends;
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) ends.push_back(at + 1);
  const auto parses = [&](std::size_t end) {
    try {
      static_cast<void>(toml::parse(text.substr(0, end)));
    } catch (const toml::parse_error&) {  // cut in the middle of a value that spans lines
    } catch (const std::invalid_argument&) {
      return false;
    }
    return true;
  };
  const auto first = std::partition_point(ends.begin(), ends.end(), parses);
  return static_cast<int>(first - ends.begin()) + 1;
}

/// Reads the document into `into`; what is not TOML is reported.
void read_toml(std::string_view text, const std::string& name, configuration& into, error_collector& errors) {
  if (const auto deep = find_deep_key(text, key_parts_max)) {
    return errors.add(error_code::config_syntax, "a key has more than " + std::to_string(key_parts_max) + " parts",
                      "no key of a configuration is nested that deep", {name, deep->line, deep->column});
  }
  if (const auto stray = find_stray_character(text)) {
    return errors.add(error_code::config_syntax, "not TOML: a character beyond ASCII outside of quotes",
                      "put keys and values that have one in quotes", {name, stray->line, stray->column});
  }
  try {
    document_reader(name, errors).read(toml::parse(text, name), into);
  } catch (const toml::parse_error& failure) {
    const auto& where = failure.source().begin;
    errors.add(error_code::config_syntax, "not TOML: " + escaped(std::string(failure.description())),
               "mend the syntax at this position; see https://toml.io",
               {name, static_cast<int>(where.line), static_cast<int>(where.column)});
  } catch (const std::invalid_argument& failure) {
    errors.add(error_code::config_syntax, std::string("not TOML: ") + failure.what(),
               "check the brackets and keys of this line; see https://toml.io", {name, malformed_line(text)});
  }
}

}  // namespace

loaded load_text(std::string_view text, const std::string& name, const vocabulary& known, const environment& variables,
                 const std::vector<std::string>& overrides) {
  if (text.size() > file_size_max_bytes) return {{}, {too_large(name)}};
  loaded out;
  out.value.file = name;
  error_collector errors;
  read_toml(text, name, out.value, errors);
  // What a broken file does not say cannot be judged.
  if (!errors.has(error_code::config_syntax)) {
    apply_overrides(out.value, variables, overrides, errors);
    validate(out.value, known, errors);
  }
  out.errors = errors.take();
  return out;
}

loaded load_file(const std::string& path, const vocabulary& known, const environment& variables,
                 const std::vector<std::string>& overrides) {
  std::error_code failure;
  const auto kind = std::filesystem::status(path, failure);
  if (kind.type() == std::filesystem::file_type::not_found) return {{}, {unreadable(path, "there is no such file")}};
  if (failure) return {{}, {unreadable(path, failure.message())}};
  if (!std::filesystem::is_regular_file(kind)) return {{}, {unreadable(path, "it is not a regular file")}};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, {unreadable(path, std::generic_category().message(errno))}};
  // One byte more than allowed, instead of asking for the size first: the file may grow meanwhile.
  std::string text(file_size_max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return {{}, {unreadable(path, "reading it failed")}};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return load_text(text, path, known, variables, overrides);
}

}  // namespace amphibus::config
