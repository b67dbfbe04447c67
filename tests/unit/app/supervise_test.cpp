#include <amphibus/app/supervise.hpp>
#include <amphibus/base/error.hpp>

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/folder.hpp"

using namespace amphibus;
using namespace std::string_literals;

namespace {

supervised_process shell(const std::string& name, const std::string& script) {
  return {name, {"/bin/sh", "-c", script}};
}

struct recorded {
  std::map<std::string, std::vector<std::string>> lines;
  supervise_options options;
  recorded() {
    options.on_line = [this](const std::string& name, const std::string& line) { lines[name].push_back(line); };
  }
};

/// A script that does nothing, without using a processor, until a signal ends it.
constexpr const char* patient = "exec cat /proc/self/fd/9 9<>fifo";

/// A folder with a FIFO that nobody writes to; the working directory while it lives.
class scratch {
 public:
  scratch() {
    std::filesystem::current_path(folder_.path());
    REQUIRE(::mkfifo("fifo", 0600) == 0);
    REQUIRE(::mkfifo("hold", 0600) == 0);
  }
  ~scratch() { std::filesystem::current_path(before_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
  support::folder folder_;
};

/// A signal's disposition while it lives.
class disposition {
 public:
  disposition(int signal, void (*handler)(int)) : signal_(signal), before_(std::signal(signal, handler)) {}
  ~disposition() { std::signal(signal_, before_); }
  disposition(const disposition&) = delete;
  disposition& operator=(const disposition&) = delete;

 private:
  int signal_;
  void (*before_)(int);
};

/// Runs `body` in a process of its own whose stdout is a pipe; returns what it printed and its wait status.
std::pair<std::string, int> printed_by(const std::function<void()>& body) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  std::fflush(stdout);  // or the copy prints it again
  std::cout.flush();
  const pid_t one = ::fork();
  if (one == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[256];
  for (ssize_t got = ::read(ends[0], buffer, sizeof buffer); got > 0; got = ::read(ends[0], buffer, sizeof buffer)) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(one, &status, 0);
  return {out, status};
}

}  // namespace

TEST_CASE("supervise: output of every child is complete, the last line without newline included", "[app]") {
  recorded seen;
  const auto report =
      supervise({shell("a", "echo one; echo two >&2; printf three"), shell("b", "echo four")}, seen.options);
  CHECK(report.exit_code == 0);
  CHECK(seen.lines["a"] == std::vector<std::string>{"one", "two", "three"});
  CHECK(seen.lines["b"] == std::vector<std::string>{"four"});
}

TEST_CASE("supervise: lines longer than 64 KiB are split there, none of their bytes is lost", "[app]") {
  recorded seen;
  supervise({shell("a", "head -c 70000 /dev/zero | tr '\\0' x; echo; head -c 200000 /dev/zero | tr '\\0' y; echo end")},
            seen.options);
  std::vector<std::size_t> sizes;
  for (const auto& each : seen.lines["a"]) sizes.push_back(each.size());
  CHECK(sizes == std::vector<std::size_t>{65'536, 4'464, 65'536, 65'536, 65'536, 3'395});
}

TEST_CASE("supervise: without on_line every line goes to stdout behind its process' name", "[app]") {
  const auto [text, status] = printed_by([] { supervise({shell("front", "printf 'one\\ntwo\\0three\\nfour'")}); });
  CHECK(status == 0);
  CHECK(text == "front | one\nfront | two\0three\nfront | four\n"s);
}

TEST_CASE("supervise: the end of a child is seen where another thread takes the signal", "[app]") {
  std::binary_semaphore ends{0};
  std::thread other([&] { ends.acquire(); });  // blocks no signal
  recorded r;
  for (int i = 0; i != 200; ++i)
    CHECK(supervise({shell("a", "exec >/dev/null 2>&1; exit 0")}, r.options).exit_code == 0);
  ends.release();
  other.join();
}

TEST_CASE("supervise: one failing child stops the others and its code is the answer", "[app]") {
  const scratch folder;
  recorded seen;
  seen.options.close_deadline = std::chrono::hours(1);
  const auto report = supervise({shell("bad", "exit 7"), shell("good", patient)}, seen.options);
  CHECK(report.exit_code == 7);
  CHECK(report.outcomes[1].signal == SIGTERM);
}

TEST_CASE("supervise: a child that a signal ends is a failure of 128 and the signal", "[app]") {
  recorded seen;
  const auto report = supervise({shell("bad", "kill -SEGV $$")}, seen.options);
  CHECK(report.exit_code == 128 + SIGSEGV);
  CHECK(seen.lines["bad"].back() == "ended by signal 11");
}

TEST_CASE("supervise: after the first signal a child may close in peace and the answer is 0", "[app]") {
  const scratch folder;
  recorded seen;
  seen.options.close_deadline = std::chrono::hours(1);
  seen.options.on_line = [&](const std::string& name, const std::string& line) {
    seen.lines[name].push_back(line);
    if (line == "ready") ::kill(::getpid(), SIGINT);
  };
  const auto report = supervise(
      {shell("polite", "exec 9<>fifo; trap 'echo closing; exit 0' TERM; echo ready; read x <&9")}, seen.options);
  CHECK(report.exit_code == 0);
  CHECK(seen.lines["polite"] == std::vector<std::string>{"ready", "closing"});
}

TEST_CASE("supervise: the second signal kills a child that ignores the first", "[app]") {
  recorded seen;
  int signals = 0;
  seen.options.close_deadline = std::chrono::hours(1);
  seen.options.on_line = [&](const std::string&, const std::string& line) {
    if (line == "ready" || line == "ignored") ++signals, ::kill(::getpid(), SIGTERM);
  };
  const auto report =
      supervise({shell("deaf", "trap 'echo ignored' TERM; echo ready; while :; do :; done")}, seen.options);
  CHECK(signals == 2);
  CHECK(report.outcomes[0].signal == SIGKILL);
}

TEST_CASE("supervise: a child that ignores the first signal is killed at the close deadline", "[app]") {
  recorded seen;
  seen.options.close_deadline = std::chrono::milliseconds(1);
  seen.options.on_line = [](const std::string&, const std::string& line) {
    if (line == "ready") ::kill(::getpid(), SIGTERM);
  };
  const auto report = supervise({shell("deaf", "trap '' TERM; echo ready; while :; do :; done")}, seen.options);
  CHECK(report.outcomes[0].signal == SIGKILL);
  CHECK(report.exit_code == 128 + SIGKILL);
}

TEST_CASE("supervise: what is not done at the deadline is stopped and said", "[app]") {
  const scratch folder;
  recorded seen;
  seen.options.deadline = std::chrono::milliseconds(1);
  const auto report = supervise({shell("late", patient)}, seen.options);
  CHECK(report.deadline_passed);
  CHECK(report.exit_code != 0);
}

TEST_CASE("supervise: a child that never stops printing keeps nobody from stopping it", "[app]") {
  supervise_options options;
  options.close_deadline = std::chrono::milliseconds(1);
  std::size_t lines = 0;
  options.on_line = [&](const std::string& name, const std::string&) {
    // The signal is sent from inside the flood: whoever reads until nothing is left never looks at it.
    if (name == "loud" && ++lines == 1000) ::kill(::getpid(), SIGTERM);
  };
  const auto report = supervise({shell("loud", "trap '' TERM; exec yes")}, options);
  CHECK(report.outcomes[0].signal == SIGKILL);
}

TEST_CASE("supervise: a grandchild that left the group and holds the output keeps nobody waiting", "[app]") {
  const scratch folder;
  recorded seen;
  const auto report = supervise(
      {shell("a", "exec 9<>hold; setsid sh -c 'echo $$; echo > fifo; exec cat <&9' & read x < fifo")}, seen.options);
  CHECK(report.exit_code == 0);
  REQUIRE(seen.lines["a"].size() == 1);
  CHECK(::kill(std::stoi(seen.lines["a"][0]), SIGKILL) == 0);
}

TEST_CASE("supervise: what a child leaves in its group ends with it", "[app]") {
  const scratch folder;
  recorded seen;
  const int reader = ::open("hold", O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  supervise({shell("a", "(exec 9<>fifo 8>hold; echo up; exec cat <&9) & read x < /dev/null; exec 7<>fifo; exit 0")},
            seen.options);
  ::fcntl(reader, F_SETFL, 0);
  char byte = 0;
  CHECK(::read(reader, &byte, 1) == 0);  // returns only when no writer is left
  ::close(reader);
}

TEST_CASE("supervise: an executable that does not exist is named with the reason", "[app]") {
  CHECK_THROWS_WITH(supervise({{"ghost", {"/nonexistent/program"}}}),
                    Catch::Contains("AMB-E0402") && Catch::Contains("ghost") && Catch::Contains("No such file"));
}

TEST_CASE("supervise: when one cannot be started, those that run are ended and collected", "[app]") {
  const scratch folder;
  pid_t first = -1;
  supervise_options options;
  options.on_started = [&](const std::string&, pid_t pid) { first = pid; };
  CHECK_THROWS(supervise({shell("good", patient), {"ghost", {"/nonexistent/program"}}}, options));
  CHECK(first > 0);
  CHECK(::kill(first, 0) == -1);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("supervise: ignored signals of the program are no concern of supervisor and children", "[app]") {
  const scratch folder;
  const disposition no_children(SIGCHLD, SIG_IGN);
  const disposition no_term(SIGTERM, SIG_IGN);
  recorded seen;
  seen.options.close_deadline = std::chrono::hours(1);
  const auto report = supervise({shell("bad", "exit 3"), shell("good", patient)}, seen.options);
  CHECK(report.exit_code == 3);
  CHECK(report.outcomes[1].signal == SIGTERM);
  CHECK(std::signal(SIGCHLD, SIG_IGN) == SIG_IGN);
}

TEST_CASE("supervise: a child has no descriptors but its three, and no blocked signals", "[app]") {
  const int mine = ::fcntl(STDERR_FILENO, F_DUPFD, 20);  // not close-on-exec
  REQUIRE(mine >= 20);
  recorded seen;
  const std::string list =
      "for each in 3 4 5 6 7 8 9 " + std::to_string(mine) + "; do [ -e /proc/$$/fd/$each ] && echo $each; done; true";
  supervise({shell("a", list + "; cat"), shell("b", list), shell("c", "exec grep SigBlk /proc/self/status")},
            seen.options);
  ::close(mine);
  CHECK(seen.lines["a"].empty());
  CHECK(seen.lines["b"].empty());
  CHECK(seen.lines["c"] == std::vector<std::string>{"SigBlk:\t0000000000000000"});
}

TEST_CASE("supervise: works in a program without standard descriptors", "[app]") {
  const auto [text, status] = printed_by([] {
    for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(each);
    recorded seen;
    const auto report = supervise({shell("a", "echo out; echo err >&2; read x || echo end")}, seen.options);
    ::_exit(report.exit_code == 0 && seen.lines["a"] == std::vector<std::string>{"out", "err", "end"} ? 0 : 1);
  });
  CHECK(status == 0);
}

TEST_CASE("supervise: children die with a supervisor that is killed", "[app]") {
  const scratch folder;
  const int reader = ::open("hold", O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  const auto [text, status] = printed_by([] {
    supervise_options options;
    options.on_line = [](const std::string&, const std::string&) { ::raise(SIGKILL); };
    supervise({shell("orphan", "exec 9<>fifo 8>hold; echo up; exec cat <&9")}, options);
  });
  CHECK(WTERMSIG(status) == SIGKILL);
  ::fcntl(reader, F_SETFL, 0);
  char byte = 0;
  CHECK(::read(reader, &byte, 1) == 0);  // returns only when the orphan is gone
  ::close(reader);
}
