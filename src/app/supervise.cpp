#include <amphibus/app/supervise.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/error.hpp>

#include "app/child.hpp"

namespace amphibus {
namespace {

using app_detail::child;

/// SIGINT, SIGTERM and SIGCHLD as a descriptor while it lives.
class watched_signals {
 public:
  watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int each : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&set, each);
    descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor_ < 0) {
      throw error(error_code::process_failed, std::string("signals cannot be watched: ") + std::strerror(errno),
                  "check the limit of open files");
    }
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    // A program that ignores SIGCHLD, perhaps by inheritance, would never learn how its children ended.
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &normal, &child_before_);
  }
  ~watched_signals() {
    ::close(descriptor_);
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  watched_signals(const watched_signals&) = delete;
  watched_signals& operator=(const watched_signals&) = delete;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// Returns: how many of the signals that came ask to stop.
  [[nodiscard]] int take_stops() const {
    int stops = 0;
    signalfd_siginfo info{};
    while (::read(descriptor_, &info, sizeof info) == sizeof info) stops += info.ssi_signo != SIGCHLD ? 1 : 0;
    return stops;
  }

 private:
  sigset_t before_{};
  struct sigaction child_before_ {};
  int descriptor_ = -1;
};

/// Lines on stdout behind the name of their process, padded so that they align; coloured on a terminal.
class prefix_printer {
 public:
  explicit prefix_printer(const std::vector<supervised_process>& processes) {
    const bool coloured = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    std::size_t width = 0;
    for (const auto& each : processes) width = std::max(width, each.name.size());
    for (const auto& each : processes) {
      std::string prefix = each.name + std::string(width - each.name.size(), ' ') + " | ";
      // Cyan, yellow, green, magenta, blue: readable on dark and light, and red stays free for failures.
      constexpr std::array<char, 5> colours{'6', '3', '2', '5', '4'};
      if (coloured) {
        const char colour = colours[prefixes_.size() % colours.size()];
        prefix.insert(0, {'\033', '[', '3', colour, 'm'}).append("\033[0m");
      }
      prefixes_.emplace(each.name, std::move(prefix));
    }
  }
  void operator()(const std::string& name, const std::string& line) const {
    const std::string text = prefixes_.at(name) + line + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);  // not printf: a line may contain NUL
    std::fflush(stdout);
  }

 private:
  std::map<std::string, std::string> prefixes_;
};

class supervisor {
 public:
  explicit supervisor(const supervise_options& options) : options_(options) {}

  supervise_report run(const std::vector<supervised_process>& processes) {
    if (!options_.on_line) options_.on_line = prefix_printer(processes);
    for (const auto& each : processes) {
      children_.push_back(std::make_unique<child>(each));
      if (options_.on_started) options_.on_started(each.name, children_.back()->outcome().pid);
    }
    while (!all_done()) {
      wait();
      take_signals();
      for (const auto& each : children_) {
        if (each->output() >= 0) each->read_lines(options_.on_line);
        if (each->reap(options_.on_line)) note_end(each->outcome());
      }
      const auto now = base::steady_clock().now();
      if (stops_ == 0 && now >= end_at_) give_up();
      if (stops_ > 0 && now >= kill_at_) {
        kill_at_ = base::time_point::max();
        kill_all(SIGKILL);
      }
    }
    for (const auto& each : children_) report_.outcomes.push_back(each->outcome());
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool all_done() const {
    return std::all_of(children_.begin(), children_.end(), [](const auto& each) { return each->ended(); });
  }

  void wait() {
    std::vector<pollfd> watched{{signals_.descriptor(), POLLIN, 0}};
    for (const auto& each : children_) {
      for (const int of_child : {each->output(), each->end()}) {
        if (of_child >= 0) watched.push_back({of_child, POLLIN, 0});
      }
    }
    int timeout_ms = -1;
    if (const auto next = stops_ > 0 ? kill_at_ : end_at_; next != base::time_point::max()) {
      const auto left = next - base::steady_clock().now();
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left / std::chrono::milliseconds(1) + 1, 0, 1000));
    }
    ::poll(watched.data(), watched.size(), timeout_ms);
  }

  void take_signals() {
    for (int stops = signals_.take_stops(); stops > 0; --stops) stop();
  }

  void give_up() {
    report_.deadline_passed = true;
    if (report_.exit_code == 0) report_.exit_code = 1;
    stop();
  }

  void stop() {
    ++stops_;
    if (stops_ == 1) {
      kill_at_ = base::deadline_after(base::steady_clock().now(), options_.close_deadline);
      kill_all(SIGTERM);
    } else {
      kill_at_ = base::steady_clock().now();
    }
  }

  void note_end(const process_outcome& of) {
    if (of.code == 0) return;
    const bool first = report_.exit_code == 0;
    const bool asked = stops_ > 0 && (of.signal == SIGTERM || of.signal == SIGKILL);
    if (first) report_.exit_code = of.signal != 0 ? 128 + of.signal : of.code;
    if (!asked) {
      options_.on_line(of.name, of.signal != 0 ? "ended by signal " + std::to_string(of.signal)
                                               : "ended with exit code " + std::to_string(of.code));
    }
    if (stops_ == 0) stop();
  }

  void kill_all(int signal) {
    for (const auto& each : children_) each->kill_group(signal);
  }

  supervise_options options_;
  watched_signals signals_;
  std::vector<std::unique_ptr<child>> children_;
  supervise_report report_;
  int stops_ = 0;
  base::time_point kill_at_ = base::time_point::max();
  const base::time_point end_at_ = base::deadline_after(base::steady_clock().now(), options_.deadline);
};

}  // namespace

supervise_report supervise(const std::vector<supervised_process>& processes, const supervise_options& options) {
  return supervisor(options).run(processes);
}

}  // namespace amphibus
