#include "app/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <amphibus/base/error.hpp>

namespace amphibus::app_detail {
namespace {

constexpr std::size_t line_size_max_bytes = 64U << 10U;

/// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const supervised_process& what, char** arguments, int output, int failure, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv(what.arguments[0].c_str(), arguments);
  const int why = errno;
  [[maybe_unused]] const auto written = ::write(failure, &why, sizeof why);
  ::_exit(127);
}

error cannot_start(const supervised_process& what, int why) {
  return {error_code::process_failed, "process '" + what.name + "' cannot be started: " + std::strerror(why),
          "check that " + what.arguments[0] + " is an executable file and that limits allow another process"};
}

}  // namespace

child::child(const supervised_process& what) {
  outcome_.name = what.name;
  int output[2] = {-1, -1};
  int failure[2] = {-1, -1};
  if (::pipe2(output, O_CLOEXEC) != 0 || ::pipe2(failure, O_CLOEXEC) != 0) throw cannot_start(what, errno);
  std::vector<char*> arguments;
  for (const std::string& each : what.arguments) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  outcome_.pid = ::fork();
  if (outcome_.pid == 0) become(what, arguments.data(), output[1], failure[1], parent);
  const int fork_failed = outcome_.pid < 0 ? errno : 0;
  ::close(output[1]);
  ::close(failure[1]);
  output_ = output[0];
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
  int why = fork_failed;
  const bool failed = fork_failed != 0 || ::read(failure[0], &why, sizeof why) == sizeof why;
  ::close(failure[0]);
  if (!failed) return;
  if (outcome_.pid > 0) ::waitpid(outcome_.pid, nullptr, 0);
  ::close(output_);
  throw cannot_start(what, why);
}

child::~child() {
  if (!ended_ && outcome_.pid > 0) {
    kill_group(SIGKILL);
    ::waitpid(outcome_.pid, nullptr, 0);
  }
  if (output_ >= 0) ::close(output_);
}

void child::kill_group(int signal) const noexcept {
  if (!ended_) ::kill(-outcome_.pid, signal);
}

void child::read_lines(const std::function<void(const std::string&, const std::string&)>& on_line) {
  char buffer[16'384];
  for (;;) {
    const ssize_t got = ::read(output_, buffer, sizeof buffer);
    if (got < 0) return;  // nothing more for now
    if (got == 0) break;
    rest_.append(buffer, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      on_line(outcome_.name, rest_.substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > line_size_max_bytes) on_line(outcome_.name, std::exchange(rest_, {}));
  }
  if (!rest_.empty()) on_line(outcome_.name, std::exchange(rest_, {}));
  ::close(std::exchange(output_, -1));
}

bool child::reap() {
  int status = 0;
  if (ended_ || ::waitpid(outcome_.pid, &status, WNOHANG) != outcome_.pid) return false;
  ended_ = true;
  if (WIFEXITED(status)) outcome_.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
  return true;
}

}  // namespace amphibus::app_detail
