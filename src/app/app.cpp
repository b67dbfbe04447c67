#include <amphibus/app.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <amphibus/app/supervise.hpp>
#include <amphibus/base/barrier.hpp>
#include <amphibus/config/config.hpp>

#include "app/command_line.hpp"
#include "detail/placement.hpp"

namespace amphibus {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_configuration = 2;

struct registered_module {
  std::string name;
  std::function<void(module&)> start;
};

void print_errors(const std::vector<error>& errors) {
  for (const error& each : errors) std::fprintf(stderr, "%s\n", each.what());
}

/// Returns: the exit code after an answer on stdout; what nobody got was no success.
int answered() {
  if (std::fflush(stdout) == 0) return 0;
  std::perror("cannot write the answer");
  return exit_failed;
}

/// SIGINT and SIGTERM as something to poll, from before any thread exists; the second one ends the process at once.
class stop_signals {
 public:
  stop_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
    descriptor_ = ::signalfd(-1, &set_, SFD_CLOEXEC);
  }
  ~stop_signals() {
    if (descriptor_ >= 0) ::close(descriptor_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// After the first signal: the default action of the next one ends us, whatever close() is doing.
  void let_the_next_one_end_us() noexcept {
    signalfd_siginfo info{};
    [[maybe_unused]] const auto got = ::read(descriptor_, &info, sizeof info);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace

struct app::state {
  app_detail::parsed command;
  bool ran = false;
  std::vector<std::unique_ptr<transport::transport>> transports;
  std::vector<registered_module> registered;
  config::configuration configuration;
  std::string process;

  std::unique_ptr<bus> running;
  std::shared_ptr<detail::placement> placed;
  std::vector<std::unique_ptr<amphibus::module>> modules;
  std::vector<std::jthread> feeds;
  int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<int> exit_code{0};
  std::atomic<std::size_t> modules_done{0};
  std::size_t modules_here = 0;
  wire_counters final_bytes;
  std::atomic<detail::placement*> counted{nullptr};

  ~state() { ::close(wake); }

  void ask_to_end(int code) noexcept {
    int expected = 0;
    exit_code.compare_exchange_strong(expected, code);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
  }
  [[nodiscard]] config::vocabulary vocabulary() const;
  /// What the program registered twice under one name.
  [[nodiscard]] std::vector<error> check_names() const;
  [[nodiscard]] bool load();
  [[nodiscard]] bool choose_process();
  [[nodiscard]] bool runs_here(const std::string& module) const;
  [[nodiscard]] int describe();
  [[nodiscard]] int up();
  [[nodiscard]] int run_process(app& owner);
  /// Runs code of a module; what it throws is printed and ends the process. Returns: false then.
  bool contained(amphibus::module& of, const std::function<void()>& call);
  [[nodiscard]] bool start(app& owner);
  void start_feeds();
  void wait_for_end(stop_signals& signals);
  void finish();
};

config::vocabulary app::state::vocabulary() const {
  config::vocabulary known;
  for (const auto& each : registered) known.modules.push_back(each.name);
  for (const auto& each : transports) known.transports.emplace_back(each->name());
  return known;
}

std::vector<error> app::state::check_names() const {
  std::vector<error> out;
  const auto check = [&out](const std::string& kind, std::vector<std::string> names, const char* mend) {
    std::sort(names.begin(), names.end());
    for (auto twice = names.begin(); (twice = std::adjacent_find(twice, names.end())) != names.end();) {
      out.emplace_back(error_code::config_conflict, kind + " '" + escaped(*twice) + "' is registered twice", mend);
      twice = std::upper_bound(twice, names.end(), *twice);
    }
  };
  const config::vocabulary known = vocabulary();
  check("module", known.modules, "give each module a name of its own");
  check("transport", known.transports, "offer each transport once; its routes share it");
  return out;
}

bool app::state::load() {
  if (const auto errors = check_names(); !errors.empty()) return print_errors(errors), false;
  const app_detail::command_line& said = command.value;
  auto loaded = said.config.empty()
                    ? config::load_text("", "", vocabulary(), config::process_environment(), said.overrides)
                    : config::load_file(said.config, vocabulary(), config::process_environment(), said.overrides);
  print_errors(loaded.errors);
  configuration = std::move(loaded.value);
  return loaded.errors.empty();
}

bool app::state::choose_process() {
  auto chosen = config::choose_process(configuration, command.value.process);
  if (!chosen) return print_errors({chosen.error()}), false;
  process = std::move(*chosen);
  return true;
}

bool app::state::runs_here(const std::string& module) const {
  if (configuration.processes.empty()) return true;
  for (const auto& each : configuration.processes) {
    if (each.name != process) continue;
    return std::find(each.modules.begin(), each.modules.end(), module) != each.modules.end();
  }
  return false;
}

int app::state::describe() {
  std::fputs(config::describe(configuration).c_str(), stdout);
  const bool membarrier = base::current_barrier_mode() == base::barrier_mode::membarrier;
  std::printf("engine.barrier = %s\n", membarrier ? "membarrier" : "fence");
  return answered();
}

int app::state::up() {
  if (configuration.processes.empty()) {
    print_errors(
        {error(error_code::command_line, "up needs a file with processes", "add --config FILE with [process.NAME]")});
    return exit_configuration;
  }
  std::vector<supervised_process> children;
  for (const auto& each : configuration.processes) {
    if (each.modules.empty()) {  // it is another program's
      std::fprintf(stderr, "up: process %s has no modules: start it yourself\n", escaped(each.name).c_str());
      continue;
    }
    std::vector<std::string> arguments{"/proc/self/exe", "--config", command.value.config, "--process", each.name};
    for (const auto& value : command.value.overrides) arguments.insert(arguments.end(), {"--set", value});
    if (!command.value.arguments.empty()) {
      arguments.emplace_back("--");
      arguments.insert(arguments.end(), command.value.arguments.begin(), command.value.arguments.end());
    }
    children.push_back({each.name, std::move(arguments)});
  }
  supervise_options options;
  // A child closes within close_deadline; a second more before the kill.
  options.close_deadline = configuration.close_deadline.value + std::chrono::seconds(1);
  return supervise(children, options).exit_code;
}

bool app::state::contained(amphibus::module& of, const std::function<void()>& call) {
  try {
    call();
    return true;
  } catch (const error& why) {
    print_errors({why});
    ask_to_end(exit_configuration);
  } catch (const std::exception& why) {
    of.fail(why.what());
  } catch (...) {
    of.fail("an exception that is not a std::exception");
  }
  return false;
}

bool app::state::start(app& owner) {
  running =
      std::make_unique<bus>(bus_options{.name = process, .memory_max_bytes = configuration.memory_max_bytes.value});
  running->on_event([name = process](const event& what) {
    const auto kind = what.kind;
    if (kind == event_kind::ready || kind == event_kind::peer_connected || kind == event_kind::peer_closed) return;
    std::fprintf(stderr, "[%s] %s\n", name.c_str(), to_string(what).c_str());
  });
  placed = std::make_shared<detail::placement>(*running->core(), configuration, process, transports);
  if (const auto errors = placed->check(); !errors.empty()) return print_errors(errors), false;
  running->core()->set_links(placed);
  counted.store(placed.get());
  try {
    modules_here = static_cast<std::size_t>(
        std::count_if(registered.begin(), registered.end(), [this](const auto& each) { return runs_here(each.name); }));
    for (const auto& each : registered) {
      if (!runs_here(each.name)) continue;
      modules.push_back(std::unique_ptr<amphibus::module>(new amphibus::module(each.name, *running, owner)));
      if (!contained(*modules.back(), [&] { each.start(*modules.back()); })) return false;
    }
    placed->open();
  } catch (const error& why) {
    return print_errors({why}), false;
  }
  return true;
}

void app::state::start_feeds() {
  for (const auto& each : modules) {
    for (const auto& call : each->on_ready_) {
      if (!contained(*each, call)) return;
    }
  }
  for (const auto& each : modules) {
    for (const auto& feed : each->feeds_) {
      feeds.emplace_back(
          [this, feed, &from = *each](const std::stop_token& token) { contained(from, [&] { feed(token); }); });
    }
  }
}

void app::state::wait_for_end(stop_signals& signals) {
  pollfd watched[2] = {{signals.descriptor(), POLLIN, 0}, {wake, POLLIN, 0}};
  while (::poll(watched, 2, -1) < 0) {
  }
  if ((watched[0].revents & POLLIN) != 0) signals.let_the_next_one_end_us();
}

void app::state::finish() {
  for (auto& each : feeds) each.request_stop();
  const auto closed = running->close(configuration.close_deadline.value);
  feeds.clear();
  if (!closed.complete()) std::fprintf(stderr, "[%s] close: %s\n", process.c_str(), to_string(closed).c_str());
  counted.store(nullptr);
  final_bytes = placed->bytes();
  while (!modules.empty()) modules.pop_back();
  placed.reset();
  running.reset();
}

int app::state::run_process(app& owner) {
  stop_signals signals;
  if (!start(owner)) {
    finish();
    return exit_code.load() == 0 ? exit_configuration : exit_code.load();
  }
  const auto deadline = base::deadline_after(base::steady_clock().now(), configuration.ready_deadline.value);
  if (const auto why = placed->wait_until_ready(deadline)) {
    print_errors({*why});
    finish();
    return why->code() == error_code::not_ready ? exit_failed : exit_configuration;
  }
  start_feeds();
  wait_for_end(signals);
  finish();
  return exit_code.load();
}

app::app(int argc, char** argv) : state_(std::make_unique<state>()) {
  state_->command = app_detail::parse_command_line(argc, argv);
}

app::~app() = default;

void app::transport(std::unique_ptr<amphibus::transport::transport> offered) {
  state_->transports.push_back(std::move(offered));
}

void app::module(std::string name, std::function<void(amphibus::module&)> start) {
  state_->registered.push_back({std::move(name), std::move(start)});
}

const std::vector<std::string>& app::arguments() const noexcept { return state_->command.value.arguments; }

wire_counters app::bytes() const noexcept {
  const detail::placement* const from = state_->counted.load();
  return from == nullptr ? state_->final_bytes : from->bytes();
}

int app::run() {
  AMPHIBUS_ASSERT(!std::exchange(state_->ran, true), "an app runs once");
  if (state_->command.exit_code) return *state_->command.exit_code;
  if (!state_->load()) return exit_configuration;
  switch (state_->command.value.what) {
    case app_detail::action::describe: return state_->describe();
    case app_detail::action::up: return state_->up();
    case app_detail::action::run: break;
    case app_detail::action::explain_route: {
      const std::string& topic = state_->command.value.topic;
      if (const auto verdict = wire::check_topic_name(topic); !verdict.ok()) {
        print_errors({wire::topic_error(topic, verdict)});
        return exit_configuration;
      }
      std::fputs(config::explain_route(state_->configuration, topic).c_str(), stdout);
      return answered();
    }
  }
  return state_->choose_process() ? state_->run_process(*this) : exit_configuration;
}

module::module(std::string name, amphibus::bus& bus, app& owner) :name_(std::move(name)), bus_(bus), app_(owner),
    executor_(bus.core()->start_executor(name_)) {}

void module::stop() { app_.state_->ask_to_end(0); }

void module::done() {
  if (done_.exchange(true)) return;
  if (app_.state_->modules_done.fetch_add(1) + 1 == app_.state_->modules_here) stop();
}

void module::fail(const std::string& why) {
  const error told(error_code::module_failed, "module '" + name_ + "' failed: " + escaped(why),
                   "see the module's own log");
  std::fprintf(stderr, "%s\n", told.what());
  app_.state_->ask_to_end(exit_failed);
}

}  // namespace amphibus
