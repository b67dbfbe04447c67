#include "app/child.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <amphibus/base/assert.hpp>
#include <amphibus/base/error.hpp>

namespace amphibus::app_detail {
namespace {

constexpr std::size_t line_size_max_bytes = 64U << 10U;
constexpr std::size_t read_size_max_bytes = 16U << 10U;

/// A pipe, close-on-exec and clear of the standard descriptors, which the program may have closed.
class pipe_ends {
 public:
  /// Check `failure()` afterwards.
  pipe_ends() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) {
      failure_ = errno;
      return;
    }
    for (int& each : ends_) {
      if (each > STDERR_FILENO) continue;
      const int low = std::exchange(each, ::fcntl(each, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
      if (each < 0) failure_ = errno;
      ::close(low);
    }
  }
  ~pipe_ends() {
    for (const int each : ends_) {
      if (each >= 0) ::close(each);
    }
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;

  [[nodiscard]] int failure() const noexcept { return failure_; }
  [[nodiscard]] int reader() const noexcept { return ends_[0]; }
  [[nodiscard]] int writer() const noexcept { return ends_[1]; }
  [[nodiscard]] int release_reader() noexcept { return std::exchange(ends_[0], -1); }
  void close_writer() noexcept { ::close(std::exchange(ends_[1], -1)); }

 private:
  int ends_[2] = {-1, -1};
  int failure_ = 0;
};

/// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const supervised_process& what, char** arguments, int output, int failure, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
  for (const int each : {SIGINT, SIGTERM, SIGCHLD, SIGPIPE}) std::signal(each, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);  // also what the program opened without it
  ::execv(what.arguments[0].c_str(), arguments);
  const int why = errno;
  [[maybe_unused]] const auto written = ::write(failure, &why, sizeof why);
  ::_exit(127);
}

/// What the child wrote before it ended, or 0 when exec closed the pipe.
int exec_failure(int reader) {
  int why = 0;
  ssize_t got = 0;
  do {
    got = ::read(reader, &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  return got == sizeof why ? why : 0;
}

error cannot_start(const supervised_process& what, int why) {
  return {error_code::process_failed, "process '" + what.name + "' cannot be started: " + std::strerror(why),
          "check that " + what.arguments[0] + " is an executable file and that limits allow another process"};
}

}  // namespace

child::child(const supervised_process& what) {
  AMPHIBUS_ASSERT(!what.arguments.empty(), "a process without arguments[0], its executable");
  outcome_.name = what.name;
  pipe_ends output;
  pipe_ends failure;
  if (output.failure() != 0 || failure.failure() != 0) {
    throw cannot_start(what, output.failure() != 0 ? output.failure() : failure.failure());
  }
  std::vector<char*> arguments;
  for (const std::string& each : what.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  outcome_.pid = ::fork();
  if (outcome_.pid < 0) throw cannot_start(what, errno);
  if (outcome_.pid == 0) become(what, arguments.data(), output.writer(), failure.writer(), parent);
  output.close_writer();
  failure.close_writer();
  if (const int why = exec_failure(failure.reader()); why != 0) {
    ::waitpid(outcome_.pid, nullptr, 0);
    throw cannot_start(what, why);
  }
  end_ = static_cast<int>(::syscall(SYS_pidfd_open, outcome_.pid, 0));
  output_ = output.release_reader();
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
}

child::~child() {
  if (!ended_ && outcome_.pid > 0) {
    kill_group(SIGKILL);
    ::waitpid(outcome_.pid, nullptr, 0);
  }
  if (output_ >= 0) ::close(output_);
  if (end_ >= 0) ::close(end_);
}

void child::kill_group(int signal) const noexcept {
  if (!ended_) ::kill(-outcome_.pid, signal);
}

void child::take(std::string_view text, const line_handler& on_line) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('\n'));
    const std::size_t room = line_size_max_bytes - rest_.size();
    const bool ends = part.size() != text.size() && part.size() <= room;
    const std::size_t taken = std::min(part.size(), room);
    rest_ += part.substr(0, taken);
    text.remove_prefix(taken + (ends ? 1 : 0));
    const bool split = !ends && !text.empty();
    if (ends || split) on_line(outcome_.name, std::exchange(rest_, {}));
  }
}

void child::end_output(const line_handler& on_line) {
  ::close(std::exchange(output_, -1));
  if (!rest_.empty()) on_line(outcome_.name, std::exchange(rest_, {}));
}

void child::read_lines(const line_handler& on_line) {
  char buffer[read_size_max_bytes];
  const ssize_t got = ::read(output_, buffer, sizeof buffer);
  if (got > 0) return take({buffer, static_cast<std::size_t>(got)}, on_line);
  const bool later = got < 0 && (errno == EAGAIN || errno == EINTR);
  if (!later) end_output(on_line);
}

bool child::reap(const line_handler& on_line) {
  siginfo_t seen{};
  if (ended_ || ::waitid(P_PID, static_cast<id_t>(outcome_.pid), &seen, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      seen.si_pid == 0) {
    return false;
  }
  // What is left of its group, e.g. a grandchild, ends with it. Before it is collected: its number cannot be taken yet.
  kill_group(SIGKILL);
  int status = 0;
  ::waitpid(outcome_.pid, &status, 0);
  ended_ = true;
  if (end_ >= 0) ::close(std::exchange(end_, -1));
  if (WIFEXITED(status)) outcome_.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
  // All it printed is in the pipe now. Do not wait for the pipe's end: a process that left the group may hold it open.
  int left = 0;
  if (output_ >= 0 && ::ioctl(output_, FIONREAD, &left) != 0) left = 0;
  for (; output_ >= 0 && left > 0; left -= static_cast<int>(read_size_max_bytes)) read_lines(on_line);
  if (output_ >= 0) end_output(on_line);
  return true;
}

}  // namespace amphibus::app_detail
