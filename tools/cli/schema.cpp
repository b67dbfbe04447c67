// amphibus schema check|lock|show: whether programs built before understand what would be built now.
#include <cstdio>
#include <memory>

#include <amphibus/base/event.hpp>

#include "check.hpp"
#include "problem.hpp"
#include "verb.hpp"

namespace amphibus::cli {
namespace {

using work = int (*)(const schema::check_options&, std::FILE*);

/// The library of schemas knows nothing of amphibus::error: what it cannot read ends here.
int guarded(work what, const schema::check_options& with) {
  try {
    return what(with, stdout);
  } catch (const schema::problem& why) {
    std::fprintf(stderr, "%s\n", why.what());
    return 2;
  }
}

CLI::App* add_sub(CLI::App& to, const char* name, const char* does, work what,
                  const std::shared_ptr<schema::check_options>& with, action& run) {
  CLI::App* const sub = to.add_subcommand(name, does);
  sub->add_option("schemas", with->schemas, "NAME.fbs or NAME.bfbs: all that the lock is about")->required();
  sub->add_option("-I", with->load.include_folders, "A folder where included schemas are looked for")
      ->allow_extra_args(false);
  sub->callback([&run, what, with] { run = [what, with] { return guarded(what, *with); }; });
  return sub;
}

}  // namespace

void add_schema(CLI::App& to, action& run) {
  CLI::App* const verb = to.add_subcommand("schema", "Judges how FlatBuffers schemas change");
  verb->require_subcommand(1);
  const auto with = std::make_shared<schema::check_options>();
  CLI::App* const check =
      add_sub(*verb, "check", "Says whether programs of the lock understand the schemas", &schema::check, with, run);
  check->add_option("--lock", with->lock, "What was promised before, docs/schemas.md")->required();
  check->add_flag("--exact", with->exact, "Fail also where the lock does not know everything yet");
  CLI::App* const lock =
      add_sub(*verb, "lock", "Writes the lock, unless check refuses", &schema::write_lock, with, run);
  lock->add_option("--lock", with->lock, "The file to write")->required();
  lock->add_option("--remove", with->removed, "A table that nobody uses any more")->allow_extra_args(false);
  add_sub(*verb, "show", "Prints what the schemas define, and the hash of each table", &schema::show, with, run);
}

}  // namespace amphibus::cli
