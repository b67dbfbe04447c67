// Walks every combination of overflow, executor, handler form and transport, or prints what is expected of them.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>

#include <amphibus/testing/conformance.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "cell.hpp"
#include "table.hpp"
#include "walk.hpp"

namespace {

class printing_reporter final : public amphibus::testing::reporter {
 public:
  void failed(std::string_view what) override {
    ++count;
    std::printf("FAILED %.*s\n", static_cast<int>(what.size()), what.data());
    std::fflush(stdout);
  }
  int count = 0;
};

/// Returns: how many cells were walked.
std::size_t walk_all(std::string_view part, printing_reporter& to) {
  const auto joined = amphibus::testing::over(
      "zeromq_ipc", [] { return amphibus::zeromq::transport({.pipe_max_bytes = std::size_t{1} << 20U}); },
      amphibus::testing::fresh_ipc_endpoints());
  std::size_t walked = 0;
  for (const combinations::cell& each : combinations::all_cells()) {
    if (name_of(each).find(part) == std::string::npos) continue;
    try {
      walk(each, joined, to);
    } catch (const std::exception& why) {
      to.failed(name_of(each) + ": " + why.what());
    }
    ++walked;
  }
  for (const combinations::start_cell& each : combinations::all_starts()) {
    if (name_of(each).find(part) == std::string::npos) continue;
    walk(each, joined, to);
    ++walked;
  }
  for (const combinations::level_cell& each : combinations::all_levels()) {
    if (name_of(each).find(part) == std::string::npos) continue;
    walk(each, to);
    ++walked;
  }
  return walked;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--table") == 0) return std::fputs(combinations::table().c_str(), stdout), 0;
  if (argc > 2) {
    std::fputs("test_combinations [--table | PART OF A CELL'S NAME]\n", stderr);
    return 2;
  }
  printing_reporter to;
  const std::size_t walked = walk_all(argc == 2 ? argv[1] : "", to);
  std::printf("%zu cells, %d faults\n", walked, to.count);
  return walked != 0 && to.count == 0 ? 0 : 1;
}
