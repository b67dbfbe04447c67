// The command line of an app, one argument a line.
#include "app/command_line.hpp"

#include <amphibus/base/assert.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words{"shop"};
  for (std::string& each : fuzz::split(fuzz::text_of(data, size), '\n')) {
    words.push_back(each.substr(0, each.find('\0')));  // as the system passes it
  }
  std::vector<char*> argv;
  for (std::string& each : words) argv.push_back(each.data());
  argv.push_back(nullptr);
  const auto got = amphibus::app_detail::parse_command_line(static_cast<int>(words.size()), argv.data());
  AMPHIBUS_ASSERT(!got.exit_code || *got.exit_code == 0 || *got.exit_code == 2, "an exit code that is not documented");
  return 0;
}
