#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace support {

/// A directory of this process, which goes with it, and not with its children.
inline const std::filesystem::path& scratch() {
  struct directory {
    directory() { std::filesystem::create_directories(path); }
    ~directory() {
      std::error_code ignored;
      if (::getpid() == owner) std::filesystem::remove_all(path, ignored);
    }
    const ::pid_t owner = ::getpid();
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("amphibus-test-" + std::to_string(owner));
  };
  static const directory only;
  return only.path;
}

}  // namespace support
