#include <amphibus/app/supervise.hpp>
#include <amphibus/base/error.hpp>

#include <catch2/catch.hpp>

#include <csignal>
#include <map>

#include <sys/wait.h>
#include <unistd.h>

using namespace amphibus;

namespace {

supervised_process shell(const std::string& name, const std::string& script) { return {name, {"/bin/sh", "-c", script}}; }

struct recorded {
  std::map<std::string, std::vector<std::string>> lines;
  supervise_options options;
  recorded() {
    options.on_line = [this](const std::string& name, const std::string& line) { lines[name].push_back(line); };
  }
};

}  // namespace

TEST_CASE("supervise: output of every child is complete, the last line without newline included", "[app]") {
  recorded seen;
  const auto report = supervise({shell("a", "echo one; echo two >&2; printf three"), shell("b", "echo four")}, seen.options);
  CHECK(report.exit_code == 0);
  CHECK(seen.lines["a"] == std::vector<std::string>{"one", "two", "three"});
  CHECK(seen.lines["b"] == std::vector<std::string>{"four"});
}

TEST_CASE("supervise: one failing child stops the others and its code is the answer", "[app]") {
  recorded seen;
  const auto report = supervise({shell("bad", "exit 7"), shell("good", "read x < /dev/zero; cat /dev/zero > /dev/null")}, seen.options);
  CHECK(report.exit_code == 7);
  CHECK(report.outcomes[1].signal == SIGTERM);
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

TEST_CASE("supervise: an executable that does not exist is named with the reason", "[app]") {
  CHECK_THROWS_WITH(supervise({{"ghost", {"/nonexistent/program"}}}),
                    Catch::Contains("AMB-E0402") && Catch::Contains("ghost") && Catch::Contains("No such file"));
}

TEST_CASE("supervise: children die with a supervisor that is killed", "[app]") {
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::close(pipe_ends[0]);
    // The child inherits the write end through fd 9: the pipe's end tells when it is gone.
    ::dup2(pipe_ends[1], 9);
    ::close(pipe_ends[1]);
    supervise_options options;
    options.on_line = [](const std::string&, const std::string&) { ::raise(SIGKILL); };
    supervise({shell("orphan", "echo up; exec cat /dev/zero > /dev/null")}, options);
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  int status = 0;
  ::waitpid(parent, &status, 0);
  CHECK(WTERMSIG(status) == SIGKILL);
  char byte = 0;
  CHECK(::read(pipe_ends[0], &byte, 1) == 0);  // returns only when the orphan is gone
  ::close(pipe_ends[0]);
}
