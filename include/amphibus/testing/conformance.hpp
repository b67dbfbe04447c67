#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/transport/transport.hpp>

#pragma GCC visibility push(default)
/// The conformance suite: what every placement of a bus keeps, as cases that a transport's author can run.
///
/// ```cpp
/// int main(int argc, char** argv) {
///   namespace testing = amphibus::testing;
///   const std::vector<testing::subject> subjects{
///       testing::in_process(),
///       testing::over("mine_tcp", [] { return amphibus::zeromq::transport(); }, testing::free_tcp_endpoint),
///   };
///   return testing::conformance_main(argc, argv, subjects);
/// }
/// ```
/// It knows no test framework; how to run it inside one, and what the cases judge: docs/testing.md.
namespace amphibus::testing {

/// What is under test: one way to join processes, or none.
struct subject {
  std::string name;   ///< `zeromq_tcp`; a word, because it becomes part of test names
  std::string title;  ///< head of its column in a table for people; empty: not in the table
  amphibus::transport::capabilities promises;
  /// A fresh transport for each process of a world; empty: all are one bus.
  std::function<std::unique_ptr<amphibus::transport::transport>()> make_transport;
  /// A control endpoint that nobody uses. A world whose endpoint is taken meanwhile is made again.
  std::function<std::string()> make_endpoint;

  [[nodiscard]] bool joins_processes() const noexcept { return make_transport != nullptr; }
};

/// Everything in one process and one bus: what a split program is compared with.
subject in_process();
/// Processes joined by what `make_transport` returns; the promises are its capabilities.
subject over(std::string name, std::function<std::unique_ptr<amphibus::transport::transport>()> make_transport,
             std::function<std::string()> make_endpoint, std::string title = {});

/// `tcp://127.0.0.1:PORT` with a port that was free just now.
std::string free_tcp_endpoint();
/// Makes `ipc://` endpoints in a fresh directory, which goes with the last copy of the function.
std::function<std::string()> fresh_ipc_endpoints();

/// One line of what is promised to users; README.md shows these as a table.
struct guarantee {
  std::string_view name;
  std::string_view in_process;
  std::string_view between_processes;
  /// What a transport must claim for it; nullptr: the bus itself keeps it over any transport.
  bool amphibus::transport::capabilities::*claimed = nullptr;
};
/// In the order of the table.
std::span<const guarantee> guarantees();

/// Takes what a case finds. Called on the thread that runs the case.
class reporter {
 public:
  /// Something promised was not kept; `what` is one line.
  virtual void failed(std::string_view what) = 0;

 protected:
  ~reporter() = default;
};

enum class case_scope : std::uint8_t { everywhere, between_processes, within_a_process };

struct conformance_case {
  std::string_view name;
  /// Names of the guarantees that it checks.
  std::vector<std::string_view> checks;
  /// What a subject must claim to be asked.
  std::vector<bool amphibus::transport::capabilities::*> needs;
  case_scope scope;
  void (*run)(const subject& of, reporter& to);
};
/// Every case, in reading order; names are unique.
std::span<const conformance_case> conformance_cases();
/// Whether `of` claims what the case is about.
[[nodiscard]] bool applies(const conformance_case& which, const subject& of);
/// Runs the case; what it throws is a failure too. Returns: true if nothing failed.
bool run_case(const conformance_case& which, const subject& of, reporter& to);

/// The table of guarantees of the subjects that have a title, in Markdown.
std::string guarantee_table(std::span<const subject> subjects);

/// A main function around the suite. Without arguments it runs every case with every subject and prints the matrix;
/// `--help` lists the rest. Returns: 0 if everything held, 1 if not, 2 for arguments it does not know.
int conformance_main(int argc, const char* const* argv, std::span<const subject> subjects);

}  // namespace amphibus::testing
#pragma GCC visibility pop
