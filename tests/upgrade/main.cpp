// rolling_upgrade OLD NEW: the shop over tcp, a process per module, built with two versions of its schema. One process
// after the other goes from OLD to NEW, first with the stream and then against it, so that each topic has met an old
// publisher with a new subscriber and a new one with an old. Every run must end with the ledger of the all-old one.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "placement_run.hpp"

namespace {

using names = std::vector<std::string>;

const names with_the_stream{"feed", "orders", "billing", "stock", "shipping", "ledger"};

struct versions {
  std::string old;
  std::string next;
};

shop::run_outcome run(const versions& of, const std::set<std::string>& swapped, const std::string& directory) {
  shop::run_options with;
  with.directory = directory;
  with.program = [&](const std::string& process) { return swapped.contains(process) ? of.next : of.old; };
  return shop::run_placement({"services_over_tcp", SHOP_SOURCE_DIR "/services_over_tcp.toml", "zeromq tcp"}, with);
}

std::string shown(const std::set<std::string>& swapped) {
  std::string out;
  for (const std::string& each : with_the_stream) out += swapped.contains(each) ? " NEW" : " old";
  return out;
}

class upgrade {
 public:
  upgrade(versions of, std::string directory) : of_(std::move(of)), directory_(std::move(directory)) {
    std::printf("feed orders billing stock shipping ledger\n");
    expected_ = step({});
  }

  /// Swaps in this order; the first step beside the all-old run and the last, all-new one are those of both orders.
  shop::run_outcome swap(const names& order) {
    std::set<std::string> swapped;
    shop::run_outcome last;
    for (const std::string& each : order) {
      swapped.insert(each);
      last = step(swapped);
    }
    return last;
  }
  [[nodiscard]] const shop::run_outcome& expected() const noexcept { return expected_; }
  [[nodiscard]] int runs() const noexcept { return runs_; }
  [[nodiscard]] int failures() const noexcept { return failures_; }

 private:
  shop::run_outcome step(const std::set<std::string>& swapped) {
    auto out = run(of_, swapped, directory_);
    const bool first = runs_++ == 0;
    const bool good = out.failure.empty() && !out.digest.empty() && (first || out.digest == expected_.digest);
    failures_ += good ? 0 : 1;
    std::printf("%s  %llu messages, %llu bytes on the wire, ledger %.16s%s%s\n", shown(swapped).c_str(),
                static_cast<unsigned long long>(out.messages), static_cast<unsigned long long>(out.wire_bytes),
                out.digest.c_str(), good ? "" : "  DIFFERS ", out.failure.c_str());
    for (const std::string& each : out.complaints) std::printf("  %s\n", each.c_str());
    std::fflush(stdout);
    return out;
  }

  versions of_;
  std::string directory_;
  shop::run_outcome expected_;
  int runs_ = 0;
  int failures_ = 0;
};

int run_all(const versions& of, const std::string& directory) {
  upgrade rolling(of, directory);
  const auto all_new = rolling.swap(with_the_stream);
  names against(with_the_stream.rbegin(), with_the_stream.rend());
  against.pop_back();
  rolling.swap(against);
  // Else the new fields were not on the wire, and nothing was shown.
  const bool more = all_new.wire_bytes > rolling.expected().wire_bytes;
  if (!more) std::printf("the new version writes no more bytes than the old one\n");
  const bool good = rolling.failures() == 0 && more;
  std::printf("%s: %d runs, %d with another ledger\n", good ? "PASS" : "FAIL", rolling.runs(), rolling.failures());
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "rolling_upgrade OLD NEW\n"), 2;
  std::string directory = (std::filesystem::temp_directory_path() / "amphibus-upgrade-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return std::perror(directory.c_str()), 2;
  const int code = run_all({argv[1], argv[2]}, directory);
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return code;
}
