#pragma once

#include <optional>
#include <string>
#include <vector>

namespace amphibus::app_detail {

enum class action : unsigned char { run, describe, explain_route, up };

/// What the command line of an app says.
struct command_line {
  action what = action::run;
  std::string program;
  std::string config;                  ///< path; empty: no file
  std::string process;                 ///< empty: the only one
  std::string topic;                   ///< of explain route
  std::vector<std::string> overrides;  ///< --set key=value
  std::vector<std::string> arguments;  ///< after --
};

struct parsed {
  command_line value;
  std::optional<int> exit_code;  ///< set: end now; help or the error has been printed
};

/// Parses, prints help or errors with the mend.
parsed parse_command_line(int argc, char** argv);

}  // namespace amphibus::app_detail
