// amphibus VERB …: the command line tool. Each verb is a file of its own; this one only reads the command line.
#include <array>
#include <cstdio>

#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>

#include "verb.hpp"

namespace amphibus::cli {
namespace {

constexpr std::array<add_verb, 3> verbs{add_new, add_schema, add_tap};

int fail(const error& why) {
  std::fprintf(stderr, "%s\n", why.what());
  return 2;
}

int run(int argc, char** argv) {
  CLI::App parser{"Looks into Amphibus programs, their schemas and their messages."};
  parser.name("amphibus");
  parser.require_subcommand(1);
  action chosen;
  for (const add_verb add : verbs) add(parser, chosen);
  try {
    parser.parse(argc, argv);
    return chosen();
  } catch (const CLI::CallForHelp&) {
    return std::fputs(parser.help().c_str(), stdout), 0;
  } catch (const CLI::CallForAllHelp&) {
    return std::fputs(parser.help("", CLI::AppFormatMode::All).c_str(), stdout), 0;
  } catch (const CLI::ParseError& why) {
    return fail(error(error_code::command_line, escaped(why.what()), "see amphibus --help"));
  } catch (const error& why) {
    return fail(why);
  }
}

}  // namespace
}  // namespace amphibus::cli

int main(int argc, char** argv) { return amphibus::cli::run(argc, argv); }
