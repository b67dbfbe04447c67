// The rules of evolution on pairs of schemas, beside what flatc --conform says of the same step.
//   evolution PAIRS             the table, and whether every verdict is the expected one
//   evolution PAIRS --markdown  the table for docs/schemas.md
//   evolution --rules           the rules for docs/schemas.md
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "load.hpp"
#include "lock.hpp"
#include "problem.hpp"
#include "rules.hpp"

namespace {

using namespace amphibus::schema;

struct pair {
  std::string title;
  std::string expected;
  std::string before;
  std::string now;
};

std::vector<pair> read_pairs(const std::string& path) {
  std::vector<pair> out;
  std::ifstream in(path);
  std::string* into = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      const auto colon = line.rfind(" : ");
      out.push_back({line.substr(3, colon - 3), line.substr(colon + 3), {}, {}});
      into = &out.back().before;
    } else if (line == "--") {
      into = &out.back().now;
    } else if (into != nullptr) {
      *into += line + "\n";
    }
  }
  return out;
}

/// A folder for the schemas of the pairs, gone at the end.
class scratch {
 public:
  scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "amphibus-evolution-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw problem(pattern, "no folder can be made here", "free some space");
    path_ = pattern;
    for (const char* const each : {"before", "now"}) std::filesystem::create_directory(path_ / each);
  }
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  /// Both have the name pair.fbs: which file it is must not be the difference.
  [[nodiscard]] std::string put(const char* folder, const std::string& text) const {
    const auto path = path_ / folder / "pair.fbs";
    std::ofstream(path) << "attribute \"major\";\nattribute \"topic\";\n" << text;
    return path.string();
  }

 private:
  std::filesystem::path path_;
};

/// The step over the lock's text, as a build does it: the rules that it breaks, without their names, or `allowed`.
std::string our_verdict(const std::string& before, const std::string& now) {
  const auto locked = parse_lock(lock_text(load(before).content), "schemas.lock");
  std::set<std::string> broken;
  for (const finding& each : judge(locked.content, load(now).content)) {
    const std::string name = name_of(each.broken);
    broken.insert(name.substr(0, name.find(' ')));
  }
  std::string out;
  for (const std::string& each : broken) out += (out.empty() ? "" : " ") + each;
  return out.empty() ? "allowed" : out;
}

std::string flatc_verdict(const std::string& before, const std::string& now) {
  const std::string command = std::string(FLATC) + " --conform '" + before + "' '" + now + "' >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code >= 128 ? "crashes" : code == 0 ? "passes" : "refuses";
}

void print_rules() {
  std::printf("| Rule | What goes wrong between old and new programs |\n|---|---|\n");
  for (std::size_t i = 1; i <= rule_count; ++i) {
    const auto each = static_cast<rule>(i);
    const std::string name = name_of(each);
    std::printf("| %s `%s` | %s |\n", name.substr(0, name.find(' ')).c_str(), name.substr(name.find(' ') + 1).c_str(),
                std::string(why(each)).c_str());
  }
}

class table {
 public:
  explicit table(bool markdown) : markdown_(markdown) {
    std::printf(markdown ? "| Change | Amphibus | `flatc --conform` |\n|---|---|---|\n" : "%-64s %-18s %s\n", "change",
                "amphibus", "flatc --conform");
  }
  void row(const pair& of, const std::string& ours, const std::string& flatc) {
    std::printf(markdown_ ? "| %s | %s | %s |\n" : "%-64s %-18s %s\n", of.title.c_str(), ours.c_str(), flatc.c_str());
    if (ours != of.expected) {
      std::printf("  WRONG: expected %s\n", of.expected.c_str());
      ++wrong_;
    }
    missed_ += ours != "allowed" && flatc == "passes" ? 1U : 0U;
    std::istringstream rules(ours);
    for (std::string each; rules >> each;) seen_.insert(each);
    ++rows_;
  }
  [[nodiscard]] int finish() const {
    std::size_t untried = 0;
    for (std::size_t i = 1; i <= rule_count; ++i) {
      const std::string name = name_of(static_cast<rule>(i));
      if (seen_.contains(name.substr(0, name.find(' ')))) continue;
      std::printf("NOT TRIED: no pair breaks %s\n", name.c_str());
      ++untried;
    }
    if (!markdown_) {
      std::printf("%zu pairs, %zu rules, %zu wrong; flatc --conform lets %zu breaking changes pass\n", rows_,
                  rule_count, wrong_, missed_);
    }
    return wrong_ == 0 && untried == 0 && rows_ != 0 ? 0 : 1;
  }

 private:
  bool markdown_;
  std::size_t rows_ = 0;
  std::size_t wrong_ = 0;
  std::size_t missed_ = 0;
  std::set<std::string> seen_;
};

int run(const std::vector<std::string>& arguments) {
  const scratch folder;
  table out(arguments.size() > 1 && arguments[1] == "--markdown");
  for (const pair& each : read_pairs(arguments[0])) {
    const std::string before = folder.put("before", each.before);
    const std::string now = folder.put("now", each.now);
    out.row(each, our_verdict(before, now), flatc_verdict(before, now));
  }
  return out.finish();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) return std::fprintf(stderr, "evolution PAIRS [--markdown] | --rules\n"), 2;
  if (arguments[0] == "--rules") return print_rules(), 0;
  try {
    return run(arguments);
  } catch (const std::exception& why) {
    return std::fprintf(stderr, "%s\n", why.what()), 2;
  }
}
