// Real signals, each in a child of its own; 7 is the exit code of a child that saw what it should.
#include <amphibus/shutdown_signal.hpp>
#include <amphibus/base/error.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <deque>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/child.hpp"

using namespace amphibus;
using support::in_child;

namespace {

[[noreturn]] void leave(bool good) { ::_exit(good ? 7 : 8); }

bool readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

/// Returns when the thread sleeps in the kernel.
void wait_until_asleep(pid_t thread) {
  for (char state = 'R'; state != 'S';) {
    std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(status, text);
    state = text[text.rfind(')') + 2];  // the name before it may contain anything
    std::this_thread::yield();
  }
}

error_code refusal() {
  try {
    const shutdown_signal refused;
  } catch (const error& why) {
    return why.code();
  }
  return {};
}

volatile std::sig_atomic_t seen_before = 0;
extern "C" void handler_before(int signal) { seen_before = signal; }

}  // namespace

TEST_CASE("shutdown_signal: a signal before the wait is not lost", "[process]") {
  for (const int which : {SIGTERM, SIGINT}) {
    const auto ended = in_child([which] {
      const shutdown_signal stop;
      const bool quiet = stop.caught() == 0 && !readable(stop.fd());
      ::kill(::getpid(), which);
      leave(quiet && stop.wait() == which && stop.wait() == which && stop.caught() == which && readable(stop.fd()));
    });
    CHECK(WEXITSTATUS(ended.status) == 7);
  }
}

TEST_CASE("shutdown_signal: a signal during the wait ends it", "[process]") {
  const auto ended = in_child([] {
    const shutdown_signal stop;
    std::thread sender([thread = ::getpid()] {
      wait_until_asleep(thread);
      ::kill(::getpid(), SIGTERM);
    });
    const int got = stop.wait();
    sender.join();
    leave(got == SIGTERM);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("shutdown_signal: any thread may take the signal, and all that wait are told", "[process]") {
  const auto ended = in_child([] {
    const shutdown_signal stop;
    std::atomic<int> told{0};
    const auto wait = [&] { told += stop.wait() == SIGINT ? 1 : 0; };
    std::thread one(wait);
    std::thread two(wait);
    ::pthread_kill(one.native_handle(), SIGINT);
    one.join();
    two.join();
    leave(told == 2);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("shutdown_signal: the second signal acts as before the first", "[process]") {
  const auto ended = in_child([] {
    const shutdown_signal stop;
    ::kill(::getpid(), SIGTERM);
    stop.wait();
    ::kill(::getpid(), SIGINT);
    leave(false);
  });
  CHECK(WIFSIGNALED(ended.status));
  CHECK(WTERMSIG(ended.status) == SIGINT);
}

TEST_CASE("shutdown_signal: after its end the handler of before is back, unless somebody took over", "[process]") {
  const auto back = in_child([] {
    std::signal(SIGTERM, &handler_before);
    { const shutdown_signal stop; }
    ::kill(::getpid(), SIGTERM);
    leave(seen_before == SIGTERM);
  });
  CHECK(WEXITSTATUS(back.status) == 7);
  const auto taken_over = in_child([] {
    {
      const shutdown_signal stop;
      std::signal(SIGTERM, &handler_before);
    }
    ::kill(::getpid(), SIGTERM);
    leave(seen_before == SIGTERM);
  });
  CHECK(WEXITSTATUS(taken_over.status) == 7);
}

TEST_CASE("shutdown_signal: signals that were blocked are caught, and blocked again after its end", "[process]") {
  const auto ended = in_child([] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::kill(::getpid(), SIGTERM);
    bool caught = false;
    {
      const shutdown_signal stop;
      caught = stop.wait() == SIGTERM;
    }
    pthread_sigmask(SIG_BLOCK, nullptr, &set);
    leave(caught && sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGINT) == 0);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("shutdown_signal: a second one is an error with a code, until the first has ended", "[process]") {
  const auto ended = in_child([] {
    std::optional<shutdown_signal> stop(std::in_place);
    const bool refused = refusal() == error_code::signals_taken;
    stop.reset();
    stop.emplace();
    ::kill(::getpid(), SIGTERM);
    leave(refused && stop->wait() == SIGTERM);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("shutdown_signal: without a descriptor left it is an error with a code", "[process]") {
  const auto ended = in_child([] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    leave(refusal() == error_code::out_of_descriptors);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("shutdown_signal: in a child of fork() signals act as before, and the parent is not told", "[process]") {
  const auto ended = in_child([] {
    const shutdown_signal stop;
    const pid_t child = ::fork();
    if (child == 0) {
      ::raise(SIGTERM);
      leave(false);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    leave(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && stop.caught() == 0 && !readable(stop.fd()));
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("shutdown_signal: a signal that comes while it ends writes to no descriptor that is somebody else's",
          "[process]") {
  const auto ended = in_child([] {
    std::signal(SIGTERM, SIG_IGN);
    std::atomic<bool> done{false};
    std::vector<std::thread> takers;  // more than cores, so that some are interrupted in the handler
    for (int i = 0; i != 6; ++i) {
      takers.emplace_back([&] {
        while (!done) ::raise(SIGTERM);
      });
    }
    std::deque<int> others;  // kept for a while: a handler may be late by many rounds
    bool clean = true;
    const auto close_oldest = [&] {
      clean = clean && !readable(others.front());
      ::close(others.front());
      others.pop_front();
    };
    for (int i = 0; i != 6'000; ++i) {
      { const shutdown_signal stop; }
      others.push_back(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      if (others.size() > 256) close_oldest();
    }
    done = true;
    for (auto& each : takers) each.join();
    while (!others.empty()) close_oldest();
    leave(clean);
  });
  CHECK(WEXITSTATUS(ended.status) == 7);
}

TEST_CASE("wait_for_shutdown_signal: returns the signal, and the next one acts as before", "[process]") {
  for (const int which : {SIGTERM, SIGINT}) {
    const auto ended = in_child([which] {
      std::thread sender([which] {
        // Repeated until the wait has begun: before it the signal is ignored.
        while (::kill(::getpid(), which) == 0) std::this_thread::yield();
      });
      std::signal(which, SIG_IGN);
      if (wait_for_shutdown_signal() != which) leave(false);
      std::signal(which, SIG_DFL);
      sender.join();  // never: the next one ends us
    });
    CHECK(WIFSIGNALED(ended.status));
    CHECK(WTERMSIG(ended.status) == which);
  }
}
