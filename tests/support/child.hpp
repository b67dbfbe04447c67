#pragma once

#include <catch2/catch.hpp>

#include <csignal>
#include <functional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace support {

struct outcome {
  int status = 0;
  std::string errors;
};

/// Runs `what` in a child and returns how it ended and what it wrote to stderr.
inline outcome in_child(const std::function<void()>& what) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // Catch's handlers would report a failed test.
    for (const int each : {SIGABRT, SIGINT, SIGTERM}) ::signal(each, SIG_DFL);
    ::dup2(ends[1], STDERR_FILENO);
    what();
    ::_exit(0);
  }
  ::close(ends[1]);
  outcome out;
  char buffer[512];
  for (ssize_t got = ::read(ends[0], buffer, sizeof buffer); got > 0; got = ::read(ends[0], buffer, sizeof buffer)) {
    out.errors.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, &out.status, 0);
  return out;
}

}  // namespace support
