// What amphibus_add_schemas() runs:
//   amphibus_schemac generate --root DIR --out DIR [-I DIR]… NAME.fbs     NAME_amphibus.h, NAME.bfbs and NAME.d in
//   --out amphibus_schemac check --lock FILE [--stamp FILE (and FILE.d)] [--exact] [--accept COMMAND] [--root DIR] [-I
//   DIR]… NAME.fbs… amphibus_schemac lock --lock FILE [--root DIR] [-I DIR]… NAME.fbs…
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "check.hpp"
#include "header.hpp"
#include "problem.hpp"

namespace {

using namespace amphibus::schema;

struct command_line {
  std::string verb;
  std::string out;
  std::string stamp;
  check_options with;
};

[[noreturn]] void misused(const std::string& what) {
  throw problem("amphibus_schemac", what, "call amphibus_add_schemas() instead, or see the head of main.cpp");
}

command_line read(const std::vector<std::string>& arguments) {
  if (arguments.empty()) misused("no verb");
  command_line out;
  out.verb = arguments[0];
  const std::map<std::string, std::string*> texts{{"--root", &out.with.load.root},
                                                  {"--out", &out.out},
                                                  {"--stamp", &out.stamp},
                                                  {"--lock", &out.with.lock},
                                                  {"--accept", &out.with.accept}};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const auto text = texts.find(word);
    if (word == "--exact") {
      out.with.exact = true;
    } else if (text != texts.end() || word == "-I") {
      if (++i == arguments.size()) misused(word + " without its argument");
      (word == "-I" ? out.with.load.include_folders.emplace_back() : *text->second) = arguments[i];
    } else if (word.starts_with('-')) {
      misused("unknown option " + word);
    } else {
      out.with.schemas.push_back(word);
    }
  }
  return out;
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw problem(path.string(), "this file cannot be written", "check the folder and its rights");
}

int generate(const command_line& given) {
  if (given.with.schemas.size() != 1) misused("generate takes one schema");
  const auto schema = load(given.with.schemas[0], given.with.load);
  const std::filesystem::path out(given.out);
  const std::string stem = std::filesystem::path(schema.path).stem().string();
  const auto header = out / (stem + "_amphibus.h");
  write(out / (stem + ".bfbs"), schema.bytes);
  write(out / (stem + ".d"), make_word(header.string()) + ":" + watched_by(schema) + "\n");
  write(header, header_of(schema));
  return 0;
}

/// The stamp says that the check went well, its depfile what may change that.
int check_for_build(const command_line& given) {
  const int code = check(given.with, stdout);
  if (code != 0 || given.stamp.empty()) return code;
  std::string watched = make_word(given.stamp) + ": " + make_word(given.with.lock);
  for (const std::string& each : given.with.schemas) watched += watched_by(load(each, given.with.load));
  write(given.stamp + ".d", watched + "\n");
  write(given.stamp, "");
  return 0;
}

int run(const command_line& given) {
  if (given.verb == "generate") return generate(given);
  if (given.verb == "check") return check_for_build(given);
  if (given.verb == "lock") return write_lock(given.with, stdout);
  misused("unknown verb " + given.verb);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(read({argv + 1, argv + argc}));
  } catch (const std::exception& why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 2;
  }
}
