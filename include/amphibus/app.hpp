#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <amphibus/module.hpp>
#include <amphibus/transport/transport.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// A program of several modules whose placement is a file: optional sugar around bus.
///
/// ```cpp
/// int main(int argc, char** argv) {
///   amphibus::app shop{argc, argv};
///   shop.transport(amphibus::zeromq::transport());
///   shop.module("orders", start_orders);
///   shop.module("billing", start_billing);
///   return shop.run();
/// }
/// ```
/// Command line: nothing (all modules here), `--config FILE [--process NAME] [--set key=value]…`, `--describe`,
/// `explain route TOPIC`, `up --config FILE` (starts every process of the file and watches over them); what follows
/// `--` is the program's own, see arguments(). Exit codes: 0 done, 1 failed, 2 a set-up error: command line,
/// configuration, endpoints, peers that do not fit, an amphibus::error that a module threw. SIGINT and SIGTERM end a
/// process as module::stop(), the second one at once. Use a bus alone where a program has one module.
/// Thread: confined to main. Lifetime: modules, bus and threads end inside run().
class app {
 public:
  /// Reads the command line. What is wrong with it goes to stderr at once, and run() returns 2.
  app(int argc, char** argv);
  app(const app&) = delete;
  app& operator=(const app&) = delete;
  ~app();

  /// Offers a transport to routes. Before run(). Two of one name end run() with 2 (config_conflict).
  void transport(std::unique_ptr<amphibus::transport::transport> offered);
  /// Registers a module; whether it starts here is the configuration's business. Before run(). Two of one name end
  /// run() with 2 (config_conflict).
  void module(std::string name, std::function<void(amphibus::module&)> start);
  /// What followed `--` on the command line.
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept;

  /// Does what the command line says. Returns: the exit code; errors and events go to stderr. Once (asserts).
  [[nodiscard]] int run();

  /// What crossed the border of this process so far; after run() in total. Thread: safe while run() runs.
  [[nodiscard]] wire_counters bytes() const noexcept;

 private:
  friend class amphibus::module;
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace amphibus
#pragma GCC visibility pop
