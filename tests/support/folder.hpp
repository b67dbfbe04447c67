#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace support {

/// An empty folder that goes with it, and not with a child of fork(). Throws std::system_error.
class folder {
 public:
  folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "amphibus-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
    path_ = pattern;
  }
  ~folder() {
    std::error_code ignored;
    if (::getpid() == owner_) std::filesystem::remove_all(path_, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  const ::pid_t owner_ = ::getpid();
  std::filesystem::path path_;
};

/// One for all of this process.
inline const std::filesystem::path& folder_of_process() {
  static const folder only;
  return only.path();
}

}  // namespace support
