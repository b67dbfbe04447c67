#include "demo.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <amphibus/base/event.hpp>

#include "ledger.hpp"
#include "placement_run.hpp"
#include "support/numbers.hpp"
#include "support/scratch.hpp"

namespace shop {
namespace {

using support::with_commas;

constexpr std::uint64_t messages_per_round = 86'000;  // about; only for the progress line
const std::array<placement, 3> placements{
    {{"monolith", SHOP_SOURCE_DIR "/monolith.toml", "memory"},
     {"two_over_ipc", SHOP_SOURCE_DIR "/two_over_ipc.toml", "zeromq ipc"},
     {"services_over_tcp", SHOP_SOURCE_DIR "/services_over_tcp.toml", "zeromq tcp"}}};

struct demo_options {
  std::string sabotage;
  double seconds = 2;
};

/// Colours and a moving line on a terminal, plain text elsewhere.
class screen {
 public:
  [[nodiscard]] std::string green(const std::string& text) const { return paint("32;1", text); }
  [[nodiscard]] std::string red(const std::string& text) const { return paint("31;1", text); }
  [[nodiscard]] std::string dim(const std::string& text) const { return paint("2", text); }
  void progress(const std::string& text) {
    if (!terminal_) return;
    std::printf("\r\033[K%s", text.c_str());
    std::fflush(stdout);
  }
  void clear() {
    if (terminal_) std::fputs("\r\033[K", stdout);
  }

 private:
  [[nodiscard]] std::string paint(const char* code, const std::string& text) const {
    return terminal_ && std::getenv("NO_COLOR") == nullptr ? "\033[" + std::string(code) + "m" + text + "\033[0m"
                                                           : text;
  }
  const bool terminal_ = ::isatty(STDOUT_FILENO) != 0;
};

run_outcome run_one(const placement& which, unsigned rounds, const demo_options& options, const std::string& directory,
                    screen& out) {
  run_options with;
  with.rounds = rounds;
  with.directory = directory;
  // The monolith has no transport to break and is what the others are compared with.
  if (which.name != "monolith") with.sabotage = options.sabotage;
  const std::uint64_t expected = messages_per_round * rounds;
  with.on_progress = [&](std::uint64_t messages) {
    const auto percent = std::min<std::uint64_t>(99, messages * 100 / expected);
    out.progress("  " + which.name + "  " + std::to_string(percent) + " %  " + with_commas(messages) + " messages");
  };
  out.progress("  " + which.name + "  starting");
  auto outcome = run_placement(which, with);
  out.clear();
  return outcome;
}

/// How many rounds the fastest placement needs for the wanted time; measured, then with a fifth to spare.
unsigned calibrate(const demo_options& options, const std::string& directory, screen& out) {
  if (options.seconds <= 0) return 1;
  unsigned rounds = 4;
  for (int attempt = 0; attempt != 4; ++attempt) {
    const auto tried = run_one(placements[0], rounds, options, directory, out);
    if (!tried.failure.empty() || tried.seconds >= options.seconds * 1.15) return rounds;
    rounds = static_cast<unsigned>(std::ceil(rounds * options.seconds * 1.3 / std::max(tried.seconds, 0.01)));
  }
  return rounds;
}

void print_row(const placement& which, const run_outcome& of, const screen& out) {
  std::string processes;
  for (const auto& [name, pid] : of.processes)
    processes += (processes.empty() ? "" : " ") + name + ":" + std::to_string(pid);
  const double rate = of.seconds > 0 ? static_cast<double>(of.messages) / of.seconds : 0;
  std::printf("%-18s %-11s %12s %15s %6.2f s %12s  %s\n", which.name.c_str(), which.transport.c_str(),
              with_commas(of.messages).c_str(), with_commas(of.wire_bytes).c_str(), of.seconds,
              with_commas(static_cast<std::uint64_t>(rate)).c_str(),
              of.digest.empty() ? "-" : of.digest.substr(0, 16).c_str());
  std::printf("%s\n", out.dim("  " + processes).c_str());
  for (const std::string& each : of.complaints) std::printf("  %s\n", amphibus::escaped(each, 300).c_str());
  std::fflush(stdout);
}

/// What is wrong with this run, compared with the first; empty: nothing.
std::string verdict(const run_outcome& expected, const run_outcome& found) {
  if (!found.failure.empty()) return found.failure;
  if (found.digest == expected.digest) return {};
  return first_difference(expected.ledger, found.ledger);
}

int run(const demo_options& options) {
  screen out;
  const support::scratch directory("amphibus-shop");
  std::printf("The shop on 25,900 real invoices, in three placements%s\n",
              options.sabotage.empty() ? "" : (", sabotage " + options.sabotage).c_str());
  const unsigned rounds = calibrate(options, directory.path(), out);
  std::printf("%u rounds of the data each\n\n", rounds);
  std::printf("%-18s %-11s %12s %15s %8s %12s  %s\n", "placement", "transport", "messages", "bytes on wire", "time",
              "messages/s", "ledger");
  std::vector<std::string> failures;
  run_outcome expected;
  for (const placement& each : placements) {
    auto outcome = run_one(each, rounds, options, directory.path(), out);
    print_row(each, outcome, out);
    if (each.name == placements[0].name) expected = outcome;
    if (const std::string wrong = verdict(expected, outcome); !wrong.empty())
      failures.push_back(each.name + ": " + wrong);
  }
  std::printf("\n");
  for (const std::string& each : failures) std::printf("%s\n", each.c_str());
  if (failures.empty()) {
    std::printf("%s\n  SHA-256 %s\n", out.green("PASS: same ledger in 3 placements").c_str(), expected.digest.c_str());
    return 0;
  }
  std::printf("%s\n", out.red("FAIL: " + std::to_string(failures.size()) + " of 3 placements differ").c_str());
  if (!options.sabotage.empty()) std::printf("  (expected: the transport was broken on purpose)\n");
  return 1;
}

}  // namespace

int run_demo(const std::vector<std::string>& arguments) {
  demo_options options;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string value = i + 1 < arguments.size() ? arguments[i + 1] : "";
    const bool sabotage = value == "lose" || value == "dup" || value == "swap" || value == "kill";
    if (arguments[i] == "--sabotage" && sabotage) {
      options.sabotage = value;
    } else if (arguments[i] == "--seconds" && !value.empty()) {
      options.seconds = std::clamp(std::atof(value.c_str()), 0.0, 600.0);
    } else {
      std::fprintf(stderr, "shop demo: '%s %s' is unknown; known: --sabotage lose|dup|swap|kill, --seconds S\n",
                   amphibus::escaped(arguments[i]).c_str(), amphibus::escaped(value).c_str());
      return 2;
    }
  }
  return run(options);
}

}  // namespace shop
