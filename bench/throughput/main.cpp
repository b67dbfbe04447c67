// amphibus_bench: everything that is fast here beside who else is, in the same run, in interleaved pairs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "harness/figure.hpp"
#include "latency/latency.hpp"
#include "rivals/rivals.hpp"
#include "throughput/inproc.hpp"
#include "throughput/processes.hpp"

namespace {

constexpr const char* usage =
    "usage: amphibus_bench [--quick] [--pairs N] [--only PREFIX]… [--json FILE] [--list]\n"
    "  --quick   a quarter of the messages, 5 pairs: figures to look at, not to quote\n"
    "  --pairs   how many interleaved pairs, 11 unless given\n"
    "  --only    only scenarios that begin so, e.g. inproc/1p1c, zeromq/tcp; with @ and a rival, only against that "
    "one,\n"
    "            e.g. inproc/1p1c@CAF\n"
    "  --json    also write every sample to FILE: what ./dev bench report and ./dev bench compare read\n"
    "  --list    name the scenarios and run none\n";

struct options {
  double effort = 1;
  int pairs = 11;
  bool list = false;
  std::string json;
  std::string command;
  std::vector<std::string> only;
};

[[noreturn]] void refuse(const std::string& word) {
  std::fprintf(stderr, "amphibus_bench: '%s' is unknown or lacks its value\n%s", word.c_str(), usage);
  std::exit(2);
}

options parse(int argc, char** argv) {
  options out;
  out.command = "./dev bench";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    out.command += " " + word;
    const auto value = [&]() -> std::string {
      if (i + 1 == argc) refuse(word);
      out.command += std::string(" ") + argv[i + 1];
      return argv[++i];
    };
    if (word == "--quick") {
      out.effort = 0.25;
      out.pairs = 5;
    } else if (word == "--pairs") {
      const std::string text = value();
      out.pairs = std::atoi(text.c_str());
      if (out.pairs < 1) refuse(word + " " + text);
    } else if (word == "--only") {
      out.only.push_back(value());
    } else if (word == "--json") {
      out.json = value();
    } else if (word == "--list") {
      out.list = true;
    } else if (word == "--help") {
      std::fputs(usage, stdout);
      std::exit(0);
    } else {
      refuse(word);
    }
  }
  return out;
}

bool wanted(const options& chosen, const bench::scenario& which) {
  if (chosen.only.empty()) return true;
  return std::any_of(chosen.only.begin(), chosen.only.end(), [&](const std::string& each) {
    const auto at = each.find('@');
    return which.name.starts_with(each.substr(0, at)) &&
           (at == std::string::npos || each.substr(at + 1) == which.rival);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && argv[1][0] != '-') return bench::play_role(argc, argv);
  const options chosen = parse(argc, argv);
  // Programs with a bus have threads, and in one that never had any the C library's locks and allocator cost less: then
  // calling through a signal library is a fifth to two fifths faster, and which row comes first would decide.
  std::thread([] {}).join();
  std::vector<bench::scenario> all = bench::inproc_scenarios(chosen.effort);
  for (auto& each : bench::latency_scenarios(chosen.effort)) all.push_back(std::move(each));
  for (auto& each : bench::process_scenarios(chosen.effort)) all.push_back(std::move(each));
  std::vector<bench::figure> figures;
  for (const auto& package : bench::missing_packages()) {
    std::printf("a rival is left out: sudo apt-get install %s\n", package.c_str());
  }
  for (const bench::scenario& each : all) {
    if (!wanted(chosen, each)) continue;
    if (chosen.list) {
      std::printf("%-28s %-20s %s\n", each.name.c_str(), each.ours.c_str(), each.rival.c_str());
      continue;
    }
    figures.push_back(bench::measure(each, chosen.pairs));
    bench::print(figures.back());
  }
  if (figures.empty() && !chosen.list) {
    std::fprintf(stderr, "amphibus_bench: no scenario begins so; --list names them\n");
    return 2;
  }
  if (!chosen.json.empty() && !bench::write_json(figures, chosen.command, chosen.json)) {
    std::fprintf(stderr, "amphibus_bench: cannot write %s\n", chosen.json.c_str());
    return 2;
  }
  const bool reached =
      std::all_of(figures.begin(), figures.end(), [](const bench::figure& each) { return each.reaches_target(); });
  return reached ? 0 : 1;
}
