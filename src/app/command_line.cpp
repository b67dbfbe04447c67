#include "app/command_line.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>

namespace amphibus::app_detail {
namespace {

void add_common(CLI::App& to, command_line& into) {
  to.add_option("--config", into.config, "TOML file with processes and routes; none: everything in this process");
  to.add_option("--set", into.overrides, "key=value that wins over the file, e.g. limits.ready_deadline=20s")
      ->allow_extra_args(false);
}

}  // namespace

parsed parse_command_line(int argc, char** argv) {
  parsed out;
  command_line& into = out.value;
  const auto own = std::find_if(argv + 1, argv + argc, [](const char* each) { return std::strcmp(each, "--") == 0; });
  into.program = argc > 0 ? argv[0] : "app";
  if (own != argv + argc) into.arguments.assign(own + 1, argv + argc);

  CLI::App parser{"A program of Amphibus modules; what follows -- is its own."};
  parser.name(into.program);
  add_common(parser, into);
  bool describe = false;
  parser.add_option("--process", into.process, "which process of the file this is");
  parser.add_flag("--describe", describe, "print every setting with its origin and end");
  CLI::App* const up = parser.add_subcommand("up", "start every process of the file and watch over them");
  add_common(*up, into);
  CLI::App* const explain = parser.add_subcommand("explain", "say why");
  CLI::App* const route = explain->add_subcommand("route", "which line decides how a topic travels");
  explain->require_subcommand(1);
  route->add_option("topic", into.topic, "topic name")->required();
  add_common(*route, into);
  try {
    parser.parse(static_cast<int>(own - argv), argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(parser.help().c_str(), stdout);
    out.exit_code = 0;
    return out;
  } catch (const CLI::ParseError& why) {
    const error told(error_code::command_line, escaped(why.what()), "see " + escaped(into.program) + " --help");
    std::fprintf(stderr, "%s\n", told.what());
    out.exit_code = 2;
    return out;
  }
  into.what = *up ? action::up : *route ? action::explain_route : describe ? action::describe : action::run;
  return out;
}

}  // namespace amphibus::app_detail
