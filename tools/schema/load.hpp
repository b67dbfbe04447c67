#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model.hpp"

namespace amphibus::schema {

/// Where schemas are looked for.
struct load_options {
  /// Files are named relative to it, so that what is generated does not depend on where the sources lie. Empty: the
  /// folder of the schema.
  std::string root;
  std::vector<std::string> include_folders;  ///< searched after the folder of the schema
};

/// A schema file with everything it includes.
struct loaded {
  std::string path;   ///< as it was given
  std::string bytes;  ///< the binary schema, .bfbs
  std::string file;   ///< its own name within `files`; empty where a .bfbs does not say
  model content;
  /// (file, what it includes), each named relative to `root`.
  std::vector<std::pair<std::string, std::vector<std::string>>> files;
  std::string root;  ///< the folder that names are relative to
  /// The path of a file named in `files` or by a definition.
  [[nodiscard]] std::string path_of(const std::string& named) const;
};

/// Reads NAME.fbs, or NAME.bfbs as `flatc -b --schema --bfbs-builtins` writes it.
///
/// A binary schema is verified before it is read and its indexes are checked, so it may come from anywhere.
/// Throws: problem: unreadable, not a schema, or one that Amphibus refuses: nested_flatbuffer and flexbuffer (what is
/// inside cannot be verified within the limits), vectors of unions (docs/schemas.md), a major that is no number from 1
/// to 65535, a topic that breaks the grammar, major or topic on a struct, files that include each other.
loaded load(const std::string& path, const load_options& with = {});

/// The same for bytes in memory; `path` is for messages.
loaded load_binary(std::string bytes, const std::string& path);

/// The name of a path without its folders.
std::string file_name(const std::string& path);

}  // namespace amphibus::schema
