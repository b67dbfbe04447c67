#pragma once

#include <span>
#include <string_view>

namespace amphibus::cli {

/// A file of the project in tools/cli/new, which is called `my_project`. Lifetime of both texts: the program's.
struct new_file {
  std::string_view path;     ///< relative to the project's folder
  std::string_view content;  ///< as it stands there
};

/// All of them, embedded by tools/cli/embed.cmake.
std::span<const new_file> new_files() noexcept;

}  // namespace amphibus::cli
