#pragma once

#include <string>

namespace support {

/// A directory that is gone at the end. Empty path: the machine has no room for one.
class scratch {
 public:
  explicit scratch(const std::string& name);
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace support
