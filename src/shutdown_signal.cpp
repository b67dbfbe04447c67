#include <amphibus/shutdown_signal.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include <amphibus/base/assert.hpp>

namespace amphibus {
namespace {

// What a signal handler may touch: lock-free atomics and write().
std::atomic<int> waiting_descriptor{-1};
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_shutdown_signal(int signal) {
  const int saved = errno;
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(waiting_descriptor.load(), &one, sizeof one);
  errno = saved;
}

/// Takes over one signal for as long as it lives.
class signal_claim {
 public:
  explicit signal_claim(int signal) : signal_(signal) {
    struct sigaction ours = {};
    ours.sa_handler = &on_shutdown_signal;
    sigemptyset(&ours.sa_mask);
    ::sigaction(signal_, &ours, &before_);
  }
  ~signal_claim() { ::sigaction(signal_, &before_, nullptr); }
  signal_claim(const signal_claim&) = delete;
  signal_claim& operator=(const signal_claim&) = delete;

 private:
  const int signal_;
  struct sigaction before_ = {};
};

}  // namespace

int wait_for_shutdown_signal() {
  const int descriptor = ::eventfd(0, EFD_CLOEXEC);
  AMPHIBUS_ASSERT(descriptor >= 0, "no file descriptor left to wait for a signal: raise RLIMIT_NOFILE");
  int free = -1;
  const bool alone = waiting_descriptor.compare_exchange_strong(free, descriptor);
  AMPHIBUS_ASSERT(alone, "two threads wait for the shutdown signal");
  first_signal.store(0);
  {
    const signal_claim interrupt(SIGINT);
    const signal_claim terminate(SIGTERM);
    // This thread takes them even if a library blocked them everywhere.
    sigset_t both;
    sigset_t before;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &both, &before);
    std::uint64_t count = 0;
    while (::read(descriptor, &count, sizeof count) != sizeof count) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  waiting_descriptor.store(-1);
  ::close(descriptor);
  return first_signal.load();
}

}  // namespace amphibus
