#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include <signal.h>
#include <unistd.h>

#include <amphibus/testing/conformance.hpp>

#include "world.hpp"

namespace amphibus::testing {
namespace {

constexpr const char* usage = R"(Runs the conformance suite.

  --list              every case of every subject, one `SUBJECT: CASE` a line; nothing runs
  --table             the table of guarantees, in Markdown; nothing runs
  --run NAME          only what --list calls so
  --subject NAME      only this subject
  --case TEXT         only cases whose name contains TEXT
  --except TEXT       not those whose name contains TEXT
  --repeat N          each case N times, or until it fails
  --limit SECONDS     a case that runs longer ends the program (default: four times what it may wait; 0: never)
)";

struct arguments {
  bool list = false;
  bool table = false;
  bool help = false;
  std::string run;
  std::string subject;
  std::string part;
  std::string except;
  unsigned repeat = 1;
  unsigned limit_s = 4 * static_cast<unsigned>(patience.count());
};

bool parse_number(const char* text, unsigned& into) {
  const char* const end = text + std::strlen(text);
  const auto [last, failure] = std::from_chars(text, end, into);
  return failure == std::errc{} && last == end;
}

/// Returns: false for what is not understood.
bool parse(int argc, const char* const* argv, arguments& into) {
  const std::map<std::string_view, bool*> flags{
      {"--list", &into.list}, {"--table", &into.table}, {"--help", &into.help}};
  const std::map<std::string_view, std::string*> texts{
      {"--run", &into.run}, {"--subject", &into.subject}, {"--case", &into.part}, {"--except", &into.except}};
  const std::map<std::string_view, unsigned*> numbers{{"--repeat", &into.repeat}, {"--limit", &into.limit_s}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (const auto flag = flags.find(word); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    if (++i >= argc) return false;
    if (const auto text = texts.find(word); text != texts.end()) {
      *text->second = argv[i];
    } else if (const auto number = numbers.find(word);
               number == numbers.end() || !parse_number(argv[i], *number->second)) {
      return false;
    }
  }
  return true;
}

std::string full_name(const subject& of, const conformance_case& which) {
  return of.name + ": " + std::string(which.name);
}

bool chosen(const arguments& by, const subject& of, const conformance_case& which) {
  return applies(which, of) && (by.run.empty() || by.run == full_name(of, which)) &&
         (by.subject.empty() || by.subject == of.name) && which.name.find(by.part) != std::string_view::npos &&
         (by.except.empty() || which.name.find(by.except) == std::string_view::npos);
}

// A case that hangs must say which one it is; a signal handler can write but not format.
char running[256];
void out_of_time(int /*signal*/) {
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, "hangs: ", 7);
  written = ::write(STDERR_FILENO, running, std::strlen(running));
  written = ::write(STDERR_FILENO, "\n", 1);
  ::signal(SIGABRT, SIG_DFL);
  ::abort();
}

void watch(const std::string& name, unsigned limit_s) {
  std::snprintf(running, sizeof running, "%s", name.c_str());
  ::signal(SIGALRM, out_of_time);
  ::alarm(limit_s);
}

class printing_reporter final : public reporter {
 public:
  explicit printing_reporter(std::string name) : name_(std::move(name)) {}
  void failed(std::string_view what) override {
    constexpr int shown_max = 20;
    if (++count_ > shown_max) return;
    std::printf("FAILED %s: %.*s\n", name_.c_str(), static_cast<int>(what.size()), what.data());
    std::fflush(stdout);
  }

 private:
  const std::string name_;
  int count_ = 0;
};

struct cell {
  unsigned passed = 0;
  bool failed = false;
  std::chrono::duration<double> took{};
};

cell run_cell(const subject& of, const conformance_case& which, const arguments& with) {
  cell out;
  const auto begin = std::chrono::steady_clock::now();
  const std::string name = full_name(of, which);
  while (out.passed != with.repeat && !out.failed) {
    watch(name, with.limit_s);
    printing_reporter to(name);
    run_case(which, of, to) ? void(++out.passed) : void(out.failed = true);
  }
  ::alarm(0);
  out.took = std::chrono::steady_clock::now() - begin;
  return out;
}

std::string text_of(const cell& which) {
  char out[64];
  std::snprintf(out, sizeof out, "%s %u  %.2f s", which.failed ? "FAIL" : "ok", which.passed, which.took.count());
  return out;
}

using column = std::vector<std::string>;

void print_aligned(std::vector<column> columns) {
  for (column& each : columns) {
    const auto longest =
        std::max_element(each.begin(), each.end(), [](auto& a, auto& b) { return a.size() < b.size(); });
    const std::size_t width = longest->size();
    for (std::string& text : each) text.resize(width, ' ');
  }
  for (std::size_t row = 0; row != columns.front().size(); ++row) {
    std::string line;
    for (const column& each : columns) line += (line.empty() ? "" : " | ") + each[row];
    std::printf("%s\n", line.c_str());
  }
}

/// Runs everything chosen and prints the matrix case x subject. Returns: how many cells ran, and whether all held.
std::pair<std::size_t, bool> run_matrix(const arguments& with, std::span<const subject> subjects) {
  std::vector<column> columns(1, column{""});
  for (const conformance_case& each : conformance_cases()) columns[0].emplace_back(each.name);
  columns[0].emplace_back("sum");
  std::size_t ran = 0;
  bool all_held = true;
  for (const subject& of : subjects) {
    column cells{of.name};
    cell sum;
    for (const conformance_case& which : conformance_cases()) {
      if (!chosen(with, of, which)) {
        cells.emplace_back(applies(which, of) ? "" : "not promised");
        continue;
      }
      const cell one = run_cell(of, which, with);
      if (with.repeat > 1) {  // hours may pass
        std::printf("%s: %s\n", full_name(of, which).c_str(), text_of(one).c_str());
        std::fflush(stdout);
      }
      cells.push_back(text_of(one));
      sum.passed += one.passed;
      sum.failed |= one.failed;
      sum.took += one.took;
      ++ran;
    }
    cells.push_back(text_of(sum));
    all_held &= !sum.failed;
    columns.push_back(std::move(cells));
  }
  if (with.run.empty()) print_aligned(std::move(columns));
  return {ran, all_held};
}

void print_list(const arguments& with, std::span<const subject> subjects) {
  for (const subject& of : subjects) {
    for (const conformance_case& which : conformance_cases()) {
      if (chosen(with, of, which)) std::printf("%s\n", full_name(of, which).c_str());
    }
  }
}

}  // namespace

int conformance_main(int argc, const char* const* argv, std::span<const subject> subjects) {
  arguments with;
  if (!parse(argc, argv, with)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (with.help) return std::fputs(usage, stdout), 0;
  if (with.table) return std::fputs(guarantee_table(subjects).c_str(), stdout), 0;
  if (with.list) return print_list(with, subjects), 0;
  const auto [ran, all_held] = run_matrix(with, subjects);
  if (ran == 0) {
    std::fputs("no case has that name; --list shows them\n", stderr);
    return 2;
  }
  return all_held ? 0 : 1;
}

}  // namespace amphibus::testing
