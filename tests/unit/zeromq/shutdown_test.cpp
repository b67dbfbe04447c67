#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

using namespace amphibus;
using namespace zeromq_test;
using namespace std::chrono_literals;

namespace {

/// A second process that becomes ready and then waits to be killed; forked before this one has threads.
class other_process {
 public:
  explicit other_process(const config::configuration& file) {
    REQUIRE(::pipe(ready_) == 0);
    pid_ = ::fork();
    if (pid_ == 0) live(file);
  }
  ~other_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(ready_[0]);
    ::close(ready_[1]);
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  void wait_until_ready() const {
    char byte = 0;
    REQUIRE(::read(ready_[0], &byte, 1) == 1);
  }
  void send(int signal) const {
    ::kill(pid_, signal);
    int status = 0;
    if (signal == SIGSTOP) ::waitpid(pid_, &status, WUNTRACED);
  }

 private:
  [[noreturn]] void live(const config::configuration& file) const {
    placed_bus b(file, "b");
    auto sub = b.bus.subscribe(numbers, [](const number&) {});
    b.open();
    if (b.wait_until_ready()) ::_exit(1);
    const char byte = 'r';
    [[maybe_unused]] const auto written = ::write(ready_[1], &byte, 1);
    for (;;) ::pause();
  }
  int ready_[2] = {-1, -1};
  pid_t pid_ = -1;
};

void close_is_bounded(int signal) {
  const auto file = file_of(2);
  other_process other(file);
  placed_bus a(file, "a");
  auto out = a.bus.publisher(numbers);
  a.open();
  REQUIRE_FALSE(a.wait_until_ready());
  other.wait_until_ready();
  other.send(signal);
  for (std::uint64_t i = 0; i != 1000; ++i) out.publish({i});
  const auto report = a.bus.close(300ms);  // returns at all: the test's timeout is the bound that matters
  CHECK(report.silent_peers == std::vector<std::string>{"b"});
}

}  // namespace

TEST_CASE("zeromq: close is bounded when the peer is dead and names it", "[zeromq]") { close_is_bounded(SIGKILL); }

TEST_CASE("zeromq: close is bounded when the peer is stopped and names it", "[zeromq]") { close_is_bounded(SIGSTOP); }

TEST_CASE("zeromq: close is bounded when no peer ever came", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  a.open();
  CHECK(a.bus.close(10s).complete());
}

TEST_CASE("zeromq: close delivers what was accepted before it", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus b(file, "b");
  std::atomic<std::uint64_t> handled{0};
  auto sub = b.bus.subscribe(numbers, [&](const number&) { ++handled; });
  {
    placed_bus a(file, "a");
    auto out = a.bus.publisher(numbers);
    make_ready({&a, &b});
    for (std::uint64_t i = 0; i != 50'000; ++i) REQUIRE(out.publish({i}) == publish_status::accepted);
    CHECK(a.bus.close(30s).complete());
  }
  b.bus.drain();
  CHECK(handled == 50'000);
  CHECK(b.wait_for(event_kind::peer_closed).peer == "a");
}
