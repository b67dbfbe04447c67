#include <amphibus/shutdown_signal.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <amphibus/base/error.hpp>

namespace amphibus {
namespace {

constexpr std::array<int, 2> caught_signals{SIGINT, SIGTERM};

// Of the one object that lives. A signal handler touches these, and calls sigaction, write, getpid and raise only.
std::atomic<bool> taken{false};
std::atomic<int> descriptor{-1};  // -1: no object, or it is going
std::atomic<int> first_signal{0};
std::atomic<int> running_handlers{0};
pid_t owner = 0;
std::array<struct sigaction, caught_signals.size()> before{};
sigset_t blocked_before;
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_shutdown_signal(int signal);

/// Gives the signals the action back that they had, unless somebody has taken them over since.
void restore_actions() noexcept {
  for (std::size_t i = 0; i != caught_signals.size(); ++i) {
    struct sigaction now = {};
    ::sigaction(caught_signals[i], nullptr, &now);
    if (now.sa_handler == &on_shutdown_signal) ::sigaction(caught_signals[i], &before[i], nullptr);
  }
}

extern "C" void on_shutdown_signal(int signal) {
  const int saved = errno;
  running_handlers.fetch_add(1);     // SYNC(shutdown_signal.running)
  const int to = descriptor.load();  // SYNC(shutdown_signal.descriptor)
  const bool ours = to >= 0 && ::getpid() == owner;
  if (ours) {
    int none = 0;
    first_signal.compare_exchange_strong(none, signal);  // SYNC(shutdown_signal.first)
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(to, &one, sizeof one);
  }
  if (to >= 0) restore_actions();
  if (!ours) ::raise(signal);     // acts as before, when this handler has returned
  running_handlers.fetch_sub(1);  // SYNC(shutdown_signal.running)
  errno = saved;
}

sigset_t both_signals() noexcept {
  sigset_t out;
  sigemptyset(&out);
  for (const int each : caught_signals) sigaddset(&out, each);
  return out;
}

int make_descriptor() {
  const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made >= 0) return made;
  throw error(error_code::out_of_descriptors,
              std::string("the system has no file descriptor for a shutdown_signal: ") + std::strerror(errno),
              "close what is not used any more, or raise the limit of open files (ulimit -n)");
}

}  // namespace

shutdown_signal::shutdown_signal() {
  const int made = make_descriptor();
  if (taken.exchange(true)) {  // SYNC(shutdown_signal.taken): sees what the destructor of the one before wrote
    ::close(made);
    throw error(error_code::signals_taken, "a shutdown_signal is made while another one exists",
                "make one in main() and hand it to who waits; any thread may");
  }
  owner = ::getpid();
  first_signal.store(0);  // before the descriptor: no handler stores it yet
  const sigset_t both = both_signals();
  for (std::size_t i = 0; i != caught_signals.size(); ++i) ::sigaction(caught_signals[i], nullptr, &before[i]);
  descriptor.store(made);  // SYNC(shutdown_signal.descriptor): a handler that sees it sees `owner` and `before`
  struct sigaction ours = {};
  ours.sa_handler = &on_shutdown_signal;
  ours.sa_mask = both;
  ours.sa_flags = SA_RESTART;
  for (const int each : caught_signals) ::sigaction(each, &ours, nullptr);
  // SYNC(shutdown_signal.first): a handler that ran between these two calls stored it before it restored the actions,
  // so it either found ours or is seen here.
  if (first_signal.load() != 0) restore_actions();
  pthread_sigmask(SIG_UNBLOCK, &both, &blocked_before);
}

shutdown_signal::~shutdown_signal() {
  sigset_t blocking;
  sigemptyset(&blocking);
  for (const int each : caught_signals) {
    if (sigismember(&blocked_before, each) == 1) sigaddset(&blocking, each);
  }
  pthread_sigmask(SIG_BLOCK, &blocking, nullptr);
  restore_actions();
  // SYNC(shutdown_signal.running): seq_cst; a handler on another thread that found the descriptor is counted here, and
  // may still write to it. In a child of fork() there is no other thread.
  const int closing = descriptor.exchange(-1);
  while (running_handlers.load() != 0 && ::getpid() == owner) std::this_thread::yield();
  ::close(closing);
  taken.store(false);  // SYNC(shutdown_signal.taken)
}

int shutdown_signal::wait() const noexcept {
  pollfd watched{fd(), POLLIN, 0};
  while (caught() == 0) ::poll(&watched, 1, -1);
  return caught();
}

// SYNC(shutdown_signal.first): pairs with the handler.
int shutdown_signal::caught() const noexcept { return first_signal.load(); }

int shutdown_signal::fd() const noexcept { return descriptor.load(); }  // SYNC(shutdown_signal.descriptor)

int wait_for_shutdown_signal() { return shutdown_signal().wait(); }

}  // namespace amphibus
