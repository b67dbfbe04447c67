// amphibus new NAME [--in DIR]: a user's project that builds, as a start of their own.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>

#include "new_files.hpp"
#include "verb.hpp"

namespace amphibus::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view placeholder = "my_project";
constexpr std::size_t name_size_max_bytes = 64;

// The name becomes a CMake target; these are taken, by CMake or as plain names of libraries that Amphibus links.
constexpr std::array reserved = std::to_array<std::string_view>(
    {"all", "c", "clean", "dl", "edit_cache", "help", "install", "isal", "list_install_components", "m", "package",
     "package_source", "pthread", "rebuild_cache", "rt", "test", "zmq"});

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

void check_name(const std::string& name) {
  const auto part_of_name = [](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; };
  const bool formed = !name.empty() && name.size() <= name_size_max_bytes && is_lower(name.front()) &&
                      std::all_of(name.begin(), name.end(), part_of_name) && name.find("__") == std::string::npos &&
                      name.back() != '_';
  if (!formed) {
    throw error(error_code::command_line,
                "'" + escaped(name) + "' cannot be a project's name, which becomes a target and part of a namespace",
                "use 1 to " + std::to_string(name_size_max_bytes) +
                    " of a-z, 0-9 and single _, a letter first and no _ last: for example shop_orders");
  }
  if (std::find(reserved.begin(), reserved.end(), name) != reserved.end()) {
    throw error(error_code::command_line, "'" + name + "' means something else in CMake already",
                "choose another name, for example " + name + "_service");
  }
}

[[noreturn]] void refuse(const fs::path& path, const std::string& why, const std::string& mend) {
  throw error(error_code::command_line, why, mend, {escaped(path.string()), 0, 0});
}

void make_folder(const fs::path& folder) {
  std::error_code why;
  fs::create_directories(folder, why);
  if (why)
    refuse(folder, "the folder cannot be made: " + why.message(), "choose a folder you may write to with --in DIR");
}

void check_empty(const fs::path& folder) {
  std::error_code why;
  const auto kind = fs::status(folder, why).type();
  if (kind == fs::file_type::not_found) return;
  if (kind != fs::file_type::directory || !fs::is_empty(folder, why) || why) {
    refuse(folder, "it is there already and no empty folder; nothing was written",
           "choose another name, or another place with --in DIR");
  }
}

std::string renamed(std::string_view text, std::string_view name) {
  std::string out;
  for (auto at = text.find(placeholder); at != std::string_view::npos; at = text.find(placeholder)) {
    out.append(text.substr(0, at)).append(name);
    text.remove_prefix(at + placeholder.size());
  }
  return out.append(text);
}

void write(const fs::path& path, const std::string& content) {
  make_folder(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) refuse(path, "the file cannot be written", "look at the space and the permissions there");
}

int make_project(const std::string& name, const std::string& in) {
  check_name(name);
  const fs::path folder = fs::path(in) / name;
  check_empty(folder);
  for (const new_file& each : new_files()) write(folder / each.path, renamed(each.content, name));
  std::printf("made %s\n\n  cd %s\n  cmake -B build && cmake --build build && ctest --test-dir build\n  build/%s\n",
              escaped(folder.string()).c_str(), escaped(folder.string()).c_str(), name.c_str());
  return 0;
}

}  // namespace

void add_new(CLI::App& to, action& run) {
  auto* verb = to.add_subcommand("new", "Makes a project: two modules, a schema, a test, a placement file.");
  const auto name = std::make_shared<std::string>();
  const auto in = std::make_shared<std::string>(".");
  verb->add_option("NAME", *name, "its folder, namespace and target: a-z, 0-9 and _")->required();
  verb->add_option("--in", *in, "where the folder NAME is made")->capture_default_str();
  verb->callback([name, in, &run] { run = [name, in] { return make_project(*name, *in); }; });
}

}  // namespace amphibus::cli
