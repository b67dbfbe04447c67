#include "bus_pair.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace amphibus;
using namespace zeromq_test;
using namespace std::chrono_literals;

namespace {

/// A second process that becomes ready and then waits to be killed; forked before this one has threads, begun by
/// start().
class other_process {
 public:
  explicit other_process(const config::configuration& file) {
    REQUIRE(::pipe(ready_) == 0);
    REQUIRE(::pipe(start_) == 0);
    REQUIRE(::pipe2(seen_, O_NONBLOCK) == 0);
    pid_ = ::fork();
    if (pid_ == 0) live(file);
    ::close(std::exchange(ready_[1], -1));  // so that its death ends a read
  }
  ~other_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(ready_[0]);
    for (const int each : {start_[0], start_[1], seen_[0], seen_[1]}) ::close(each);
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  void start() const { REQUIRE(::write(start_[1], "s", 1) == 1); }
  void wait_until_ready() const {
    char byte = 0;
    REQUIRE(::read(ready_[0], &byte, 1) == 1);
  }
  /// Blocks until it handled `value`.
  void wait_until_seen(char value) const {
    pollfd readable{seen_[0], POLLIN, 0};
    for (char byte = 0; byte != value;) {
      if (::read(seen_[0], &byte, 1) != 1) ::poll(&readable, 1, -1);
    }
  }
  void send(int signal) const {
    ::kill(pid_, signal);
    int status = 0;
    if (signal == SIGSTOP) ::waitpid(pid_, &status, WUNTRACED);
  }

 private:
  [[noreturn]] void live(const config::configuration& file) const {
    char go = 0;
    if (::read(start_[0], &go, 1) != 1) ::_exit(1);
    placed_bus b(file, "b");
    auto sub = b.bus.subscribe(numbers, [this](const number& n) {
      const char byte = static_cast<char>(n.value);
      [[maybe_unused]] const auto written = ::write(seen_[1], &byte, 1);
    });
    b.open();
    if (b.wait_until_ready()) ::_exit(1);
    const char byte = 'r';
    [[maybe_unused]] const auto written = ::write(ready_[1], &byte, 1);
    for (;;) ::pause();
  }
  int ready_[2] = {-1, -1};
  int start_[2] = {-1, -1};
  int seen_[2] = {-1, -1};  // one byte per handled message; a full pipe loses some
  pid_t pid_ = -1;
};

void close_is_bounded(int signal) {
  const auto file = file_of(2);
  other_process other(file);
  other.start();
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

TEST_CASE("zeromq: a process that was killed and started again joins, and the others go on meanwhile", "[zeromq]") {
  const auto file = file_of(2);
  other_process first(file);
  other_process second(file);
  first.start();
  placed_bus a(file, "a", {.ping_interval = 50ms});
  auto out = a.bus.publisher(numbers);
  a.open();
  REQUIRE_FALSE(a.wait_until_ready());
  first.wait_until_ready();
  REQUIRE(out.publish({1}) == publish_status::accepted);
  first.wait_until_seen(1);
  first.send(SIGKILL);
  a.wait_for(event_kind::peer_lost);
  CHECK(out.publish({2}) == publish_status::no_subscribers);
  second.start();
  second.wait_until_ready();
  while (out.publish({3}) != publish_status::accepted) std::this_thread::yield();
  second.wait_until_seen(3);
  CHECK(a.bus.close(30s).complete());
}

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

TEST_CASE("zeromq: a signal that meets the transport's thread does no harm", "[zeromq]") {
  struct sigaction before {};
  struct sigaction counts {};
  static std::atomic<int> caught{0};
  counts.sa_handler = [](int) { ++caught; };
  REQUIRE(::sigaction(SIGUSR1, &counts, &before) == 0);
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  std::atomic<std::uint64_t> handled{0};
  auto sub = b.bus.subscribe(numbers, [&](const number&) { ++handled; });
  auto out = a.bus.publisher(numbers);
  make_ready({&a, &b});
  for (std::uint64_t i = 0; i != 100; ++i) {
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
      const auto thread = std::stol(each.path().filename());
      REQUIRE(::syscall(SYS_tgkill, ::getpid(), thread, SIGUSR1) == 0);
    }
    REQUIRE(out.publish({i}) == publish_status::accepted);
    REQUIRE(a.bus.drain(30s).complete());
  }
  CHECK(caught > 0);
  CHECK(a.bus.close(30s).complete());
  b.bus.drain();
  CHECK(handled == 100);
  ::sigaction(SIGUSR1, &before, nullptr);
}
