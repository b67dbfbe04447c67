#pragma once

#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "support/folder.hpp"

namespace schema_test {

/// Schemas of a test, gone at its end.
class folder {
 public:
  std::string put(const std::string& name, const std::string& text) const {
    const auto path = in_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (in_.path() / name).string(); }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream from(in_.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), {}};
  }

 private:
  support::folder in_;
};

/// What `work` prints, and in `code` what it returns.
inline std::string printed(const std::function<int(std::FILE*)>& work, int& code) {
  std::FILE* const out = std::tmpfile();
  REQUIRE(out != nullptr);
  code = work(out);
  std::string text(static_cast<std::size_t>(std::ftell(out)), ' ');
  std::rewind(out);
  REQUIRE(std::fread(text.data(), 1, text.size(), out) == text.size());
  std::fclose(out);
  return text;
}

}  // namespace schema_test
