// replay FILE|FOLDER…: feeds files to a fuzz target where the compiler has no libFuzzer; prints how many. libFuzzer's
// own arguments, -name=value, are passed over, so that one command fits both.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

bool replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::fprintf(stderr, "cannot read %s\n", file.c_str()), false;
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (const std::string& given : std::vector<std::string>(argv + 1, argv + argc)) {
    if (given.starts_with('-')) continue;
    std::vector<std::filesystem::path> files{given};
    if (std::filesystem::is_directory(given)) files.assign(std::filesystem::directory_iterator(given), {});
    for (const auto& each : files) count += replay(each) ? 1 : 0;
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 1 : 0;  // a corpus that is not there tests nothing
}
