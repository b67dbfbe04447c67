#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/testing/conformance.hpp>

namespace amphibus::testing {

/// How long a case waits for what has to come; under ThreadSanitizer everything takes ten times as long.
#ifdef AMPHIBUS_TSAN
inline constexpr auto patience = std::chrono::seconds(120);
#else
inline constexpr auto patience = std::chrono::seconds(30);
#endif

/// What a case asks of its world.
struct world_options {
  std::size_t processes = 2;
  std::size_t opened = SIZE_MAX;                        // the rest of them never starts
  config::overflow overflow = config::overflow::block;  // of both routes
  base::duration block_timeout = std::chrono::seconds(5);
  std::size_t message_size_max_bytes = std::size_t{16} << 20U;
};

/// The processes of one case. Without a transport all of them are one bus.
class world {
 public:
  world(const subject& of, const world_options& options);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// The bus of a process.
  [[nodiscard]] bus& at(std::size_t process) { return *buses_.at(buses_.size() == 1 ? 0 : process); }
  [[nodiscard]] std::size_t bus_count() const noexcept { return buses_.size(); }
  /// Ends the bus of a process, as if the process ended well. Its publishers and subscriptions may outlive it.
  void end(std::size_t process) { buses_.at(buses_.size() == 1 ? 0 : process).reset(); }
  /// Every process confirms. Throws: error where one does not.
  void make_ready();
  /// Closes all, the first first.
  void close();

 private:
  bool try_open(const subject& of, const world_options& options);
  std::vector<std::unique_ptr<bus>> buses_;
};

}  // namespace amphibus::testing
