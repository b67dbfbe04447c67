// amphibus tap PATTERN --config FILE: shows what travels between the processes of a file.
#include <algorithm>
#include <csignal>
#include <cstdio>

#include <amphibus/base/event.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/shutdown_signal.hpp>

#include "tap.hpp"
#include "verb.hpp"

namespace amphibus::cli {
namespace {

using zeromq::observation;
using steady = std::chrono::steady_clock;

struct tap_arguments {
  std::string pattern;
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> processes;
  std::string duration;
  std::uint64_t count = 0;  // 0: no end
  bool json = false;
};

/// The processes of the file that are to be looked at. Throws: error.
std::vector<zeromq::observer_options::process> read_processes(const tap_arguments& from) {
  const auto loaded = config::load_file(from.config, {{}, {"zeromq"}}, config::process_environment(), from.overrides);
  if (!loaded.errors.empty()) throw loaded.errors.front();
  std::vector<zeromq::observer_options::process> out;
  std::vector<std::string> names;
  for (const config::process& each : loaded.value.processes) {
    names.push_back(each.name);
    const bool chosen = from.processes.empty() ||
                        std::find(from.processes.begin(), from.processes.end(), each.name) != from.processes.end();
    const std::string& endpoint = each.advertise.value.empty() ? each.endpoint.value : each.advertise.value;
    if (chosen && !endpoint.empty()) out.push_back({each.name, endpoint});
  }
  for (const std::string& each : from.processes) {
    if (std::find(names.begin(), names.end(), each) == names.end()) {
      config::choose_process(loaded.value, each).value();
    }
  }
  if (!out.empty()) return out;
  throw error(error_code::config_conflict,
              "nothing leaves a process by this file: it names no process with an endpoint",
              "give the file of a program whose routes leave the process", {from.config});
}

/// One run of the verb.
class tap_run {
 public:
  explicit tap_run(const tap_arguments& with)
      : with_(with),
        limit_(read_limit(with.duration)),
        from_({.processes = read_processes(with), .pattern = with.pattern}),
        lines_(with.json) {}

  int run() {
    ::signal(SIGPIPE, SIG_IGN);  // a reader that went is the end, not an accident
    std::fputs(
        "tap: shows what processes send to each other, not what stays inside one; whoever is slow misses "
        "messages, the bus is never slowed\n",
        stderr);
    const auto end = limit_ ? steady::now() + *limit_ : steady::time_point::max();
    while (!over_ && stop_.caught() == 0 && steady::now() < end) {
      const auto left = limit_ ? std::chrono::ceil<std::chrono::milliseconds>(end - steady::now()) : patience;
      from_.run_once(std::max(left, std::chrono::milliseconds(0)), stop_.fd(),
                     [this](const auto& each) { return show(each); });
      over_ = over_ || (std::fflush(stdout) != 0) || look_at_processes();
    }
    return summarise();
  }

 private:
  static constexpr std::chrono::milliseconds patience = std::chrono::seconds(1);
  static constexpr auto hint_after = std::chrono::seconds(5);

  static std::optional<std::chrono::milliseconds> read_limit(const std::string& text) {
    if (text.empty()) return std::nullopt;
    if (const auto read = read_duration(text)) return read;
    throw error(error_code::command_line, "--for '" + escaped(text) + "' is no duration",
                "write 500ms, 10s, 2min or 1h", {"--for"});
  }

  bool show(const zeromq::observed_message& message) {
    const std::string line = lines_.line_of(message, std::chrono::system_clock::now()) + '\n';
    over_ = std::fwrite(line.data(), 1, line.size(), stdout) != line.size();
    over_ = ++shown_ == with_.count || over_;
    return !over_;
  }

  /// Says once what became of each. Returns: whether nothing more can come.
  bool look_at_processes() {
    bool all_over = true;
    for (const auto& each : from_.processes()) {
      auto& told = told_[each.name];
      if (each.state != told) tell(each);
      told = each.state;
      all_over &= each.state == observation::ended || each.state == observation::refused ||
                  (each.state == observation::silent && !watched_any_);
    }
    if (shown_ == 0 && watched_any_ && !hinted_ && steady::now() - began_ >= hint_after) {
      hinted_ = true;
      std::fputs("tap: nothing yet: a topic that no other process subscribes does not leave its own\n", stderr);
    }
    return all_over;
  }

  void tell(const zeromq::observed_process& what) {
    watched_any_ |= what.state == observation::watching;
    switch (what.state) {
      case observation::asked: break;
      case observation::watching: return say(what.name, "watching");
      case observation::ended: return say(what.name, "said goodbye");
      case observation::silent:
        return say(what.name, "does not answer: it is not running, or is of a version that knows no observers");
      case observation::refused: std::fprintf(stderr, "%s\n", what.refusal->what());
    }
  }
  static void say(const std::string& process, const char* what) {
    std::fprintf(stderr, "tap: process %s %s\n", escaped(process).c_str(), what);
  }

  int summarise() {
    std::uint64_t missed = 0;
    std::string names;
    for (const auto& each : from_.processes()) {
      missed += each.missed;
      names += (names.empty() ? "" : ", ") + each.name;
    }
    if (!watched_any_ && shown_ == 0) {
      throw error(error_code::not_ready, "no process of the file can be observed: " + escaped(names),
                  "start them, check that the endpoints of the file are theirs, and see what is said above",
                  {with_.config});
    }
    std::fprintf(stderr, "tap: %llu shown, %llu missed\n", static_cast<unsigned long long>(shown_),
                 static_cast<unsigned long long>(missed));
    return 0;
  }

  const tap_arguments& with_;
  const std::optional<std::chrono::milliseconds> limit_;
  const shutdown_signal stop_;
  zeromq::observer from_;
  tap_lines lines_;
  std::map<std::string, observation> told_;
  const steady::time_point began_ = steady::now();
  std::uint64_t shown_ = 0;
  bool watched_any_ = false;
  bool hinted_ = false;
  bool over_ = false;
};

}  // namespace

void add_tap(CLI::App& to, action& run) {
  const auto with = std::make_shared<tap_arguments>();
  CLI::App* const verb = to.add_subcommand("tap", "Shows the messages that travel between processes, as they travel.");
  verb->add_option("PATTERN", with->pattern, "topics: tokens joined by dots, * for one, > for the rest")->required();
  verb->add_option("--config", with->config, "the TOML file of the program")->required();
  verb->add_option("--set", with->overrides, "KEY=VALUE over the file, as for the program")->allow_extra_args(false);
  verb->add_option("--process", with->processes, "look at this process only; may be repeated")->allow_extra_args(false);
  verb->add_option("--count", with->count, "end after so many messages");
  verb->add_option("--for", with->duration, "end after 500ms, 10s, 2min or 1h");
  verb->add_flag("--json", with->json, "one JSON object per line");
  verb->callback([with, &run] { run = [with] { return tap_run(*with).run(); }; });
}

}  // namespace amphibus::cli
