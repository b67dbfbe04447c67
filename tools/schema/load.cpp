#include "load.hpp"

#include <flatbuffers/idl.h>
#include <flatbuffers/util.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "problem.hpp"
#include "reflected.hpp"

namespace amphibus::schema {
namespace {

constexpr std::uintmax_t file_size_max_bytes = 16U << 20U;

std::string read_file(const std::string& path) {
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  std::ifstream in(path, std::ios::binary);
  if (none || !in) throw problem(path, "this schema cannot be read", "give the path of a .fbs or .bfbs file");
  if (size > file_size_max_bytes)
    throw problem(path, "a schema of " + std::to_string(size) + " bytes; the limit is 16 MiB", "split it");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string folder_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// flatc's own parser, so that a schema means here exactly what it means to flatc.
std::string parse(const std::string& path, const load_options& with) {
  flatbuffers::IDLOptions options;
  options.binary_schema_builtins = true;  // else the attributes that Amphibus refuses are not seen
  options.lang_to_generate = flatbuffers::IDLOptions::kCpp;
  options.project_root = std::filesystem::absolute(with.root.empty() ? folder_of(path) : with.root).string();
  const std::string folder = folder_of(path);
  std::vector<const char*> includes{folder.c_str()};
  for (const std::string& each : with.include_folders) includes.push_back(each.c_str());
  includes.push_back(nullptr);
  flatbuffers::Parser parser(options);
  if (!parser.Parse(read_file(path).c_str(), includes.data(), path.c_str()))
    throw problem("", parser.error_, "see https://google.github.io/flatbuffers for the grammar of schemas");
  parser.Serialize();
  return {reinterpret_cast<const char*>(parser.builder_.GetBufferPointer()), parser.builder_.GetSize()};
}

using includes = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// True if `file` comes back to `wanted` by its includes; `seen` ends what goes in circles elsewhere.
bool leads_to(const includes& files, const std::string& file, const std::string& wanted, std::set<std::string>& seen) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& each) { return each.first == file; });
  if (found == files.end() || !seen.insert(file).second) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const std::string& each) { return each == wanted || leads_to(files, each, wanted, seen); });
}

void refuse_circles(const loaded& of) {
  for (const auto& [file, included] : of.files) {
    std::set<std::string> seen;
    if (!leads_to(of.files, file, file, seen)) continue;
    throw problem(of.path_of(file), "this schema includes itself, by way of " + file_name(included.front()),
                  "move what both need into a schema of its own; flatc's C++ code cannot express circles");
  }
}

/// Files are `//sub/shop.fbs` in a binary schema.
std::string without_root(const std::string& name) { return name.starts_with("//") ? name.substr(2) : name; }

}  // namespace

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string loaded::path_of(const std::string& named) const {
  return named.empty() ? path : (std::filesystem::path(root) / named).lexically_normal().string();
}

loaded load_binary(std::string bytes, const std::string& path) {
  loaded out;
  out.path = path;
  out.bytes = std::move(bytes);
  out.root = folder_of(path);
  const reflected view(out.bytes, path);
  out.files = view.files();
  for (auto& [file, included] : out.files) {
    file = without_root(file);
    for (std::string& each : included) each = without_root(each);
  }
  const std::string stem = std::filesystem::path(path).stem().string() + ".fbs";
  for (const auto& each : out.files) {
    if (file_name(each.first) == stem && out.file.empty()) out.file = each.first;
  }
  out.content = view.content();
  for (auto& [name, each] : out.content.definitions) each.file = without_root(each.file);
  auto own = view.own_file();
  own.name = stem;
  out.content.files.emplace(stem, own);
  return out;
}

loaded load(const std::string& path, const load_options& with) {
  if (path.ends_with(".bfbs")) return load_binary(read_file(path), path);
  loaded out = load_binary(parse(path, with), path);
  out.root = with.root.empty() ? folder_of(path) : with.root;
  // As FlatBuffers names it: with symbolic links followed.
  const auto real = [](const std::string& of) { return std::filesystem::weakly_canonical(of); };
  out.file = real(path).lexically_relative(real(out.root)).string();
  refuse_circles(out);
  return out;
}

}  // namespace amphibus::schema
