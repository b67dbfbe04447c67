#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <amphibus/module.hpp>
#include <amphibus/transport/transport.hpp>

namespace amphibus {

/// A program of several modules whose placement is a file: optional sugar around bus.
///
/// ```cpp
/// int main(int argc, char** argv) {
///   amphibus::app shop{argc, argv};
///   shop.transport(amphibus::zeromq::transport());
///   shop.module("orders", orders::start);
///   shop.module("billing", billing::start);
///   return shop.run();
/// }
/// ```
/// Command line: nothing (all modules here), `--config FILE [--process NAME] [--set key=value]…`, `--describe`,
/// `explain route TOPIC`, `up --config FILE` (starts every process of the file and watches over them); what follows
/// `--` is the program's own, see arguments(). Exit codes: 0 done, 1 failed, 2 configuration or command line (no socket
/// was opened). Thread: confined to main.
class app {
 public:
  app(int argc, char** argv);
  app(const app&) = delete;
  app& operator=(const app&) = delete;
  ~app();

  /// Offers a transport to routes. Before run().
  void transport(std::unique_ptr<amphibus::transport::transport> offered);
  /// Registers a module; whether it starts here is the configuration's business. Before run().
  void module(std::string name, std::function<void(amphibus::module&)> start);
  /// What followed `--` on the command line.
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept;

  /// Does what the command line says. Returns: the exit code; errors go to stderr.
  [[nodiscard]] int run();

  /// What crossed the border of this process so far; after run() in total. Thread: safe while run() runs.
  [[nodiscard]] wire_counters bytes() const noexcept;

 private:
  friend class amphibus::module;
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace amphibus
