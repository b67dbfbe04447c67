#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/error.hpp>
#include <amphibus/queue/retain_rule.hpp>

#pragma GCC visibility push(default)
/// Configuration as plain data; who reads the TOML is src/config, who applies it is the bus. Thread: const-safe.
namespace amphibus::config {

/// Where a value came from; later kinds win over earlier ones.
enum class origin_kind : std::uint8_t { code, file, environment, command_line };
struct origin {
  origin_kind kind = origin_kind::code;
  error_location where;  ///< file position, or name of the variable or argument
};

/// A value that knows where it came from.
template <class T>
struct setting {
  T value{};
  origin from{};
};

/// `[process.NAME]`
struct process {
  std::string name;
  std::vector<std::string> modules;
  setting<std::string> endpoint;   ///< control endpoint to bind: tcp://HOST:PORT or ipc://PATH
  setting<std::string> advertise;  ///< what the others use; defaults to endpoint
  error_location where;
  std::vector<error_location> module_places;  ///< one per module of a file; empty where code made the process
};

enum class level : std::uint8_t { best_effort };
enum class overflow : std::uint8_t { block, drop_newest };

/// `[[route]]`: the first that matches a topic wins.
struct route {
  setting<std::string> topic;      ///< pattern
  setting<std::string> transport;  ///< "inproc" keeps the topic in the process
  setting<config::level> level;
  setting<config::overflow> overflow;
  setting<std::chrono::nanoseconds> block_timeout{std::chrono::seconds(5), {}};
  setting<queue::retain_rule> retain;  ///< what its topics keep for who subscribes later; from code: as each topic says
  error_location where;
};

/// A whole file after precedence was applied; default-constructed = one process, no routes.
struct configuration {
  std::string file;  ///< empty: no file
  std::vector<process> processes;
  std::vector<route> routes;
  setting<std::size_t> message_size_max_bytes{std::size_t{16} << 20U, {}};         ///< [limits] message_size_max_bytes
  setting<std::size_t> memory_max_bytes{std::size_t{1} << 30U, {}};                ///< [limits] memory_max_bytes
  setting<std::chrono::nanoseconds> peer_stall_max{std::chrono::seconds(10), {}};  ///< [limits] peer_stall_max
  setting<std::chrono::nanoseconds> ready_deadline{std::chrono::seconds(10), {}};  ///< [limits] ready_deadline
  setting<std::chrono::nanoseconds> close_deadline{std::chrono::seconds(5), {}};   ///< [limits] close_deadline
};

/// What the program knows and a file may name.
struct vocabulary {
  std::vector<std::string> modules;     ///< empty: modules are not checked (a bus without app)
  std::vector<std::string> transports;  ///< without "inproc", which always exists
};

/// `NAME=value` pairs, e.g. AMPHIBUS_ROUTE__0__OVERFLOW=block; passed in so that tests need no real environment.
using environment = std::vector<std::pair<std::string, std::string>>;

/// The AMPHIBUS_… variables of this process.
environment process_environment();

struct loaded {
  configuration value;        ///< meaningful only when errors is empty
  std::vector<error> errors;  ///< all of them, in file order; those without a position in the file last
};

/// Reads a file, then the environment, then `--set key=value` arguments; checks everything; reports all errors at once.
loaded load_file(const std::string& path, const vocabulary& known, const environment& variables = {},
                 const std::vector<std::string>& overrides = {});
/// The same from text; `name` stands in for the path in errors.
loaded load_text(std::string_view text, const std::string& name, const vocabulary& known,
                 const environment& variables = {}, const std::vector<std::string>& overrides = {});

/// The process that `asked` names; where it is empty, the only one, or "main" in a configuration without processes.
/// Returns: config_unknown_name with the names to choose from.
result<std::string> choose_process(const configuration& in, const std::string& asked);

/// The route that decides `topic`, or nullopt: in-process.
std::optional<std::size_t> find_route(const configuration& in, std::string_view topic) noexcept;
/// Changes when any route differs; what two processes compare.
std::uint64_t routes_digest(const configuration& of);

/// Every value with its origin, one line each, stable order.
std::string describe(const configuration& what);
/// Which line decided the topic and what that means: one paragraph.
std::string explain_route(const configuration& in, std::string_view topic);

/// Nearest of `candidates` by edit distance, if near enough to be a typo; empty otherwise.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace amphibus::config
#pragma GCC visibility pop
