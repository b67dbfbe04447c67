// The protocol of a consumer that sleeps, with and without the barrier that it issues: publisher and consumer in lock
// step, so that nearly every message finds the other about to sleep. With it 300,000 messages arrive; without it one of
// them sleeps for ever within some ten thousand, on two cores that do nothing else. Models cannot see that: they run
// with the portable fences. `lock_step with` only shows the first half.
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <new>
#include <thread>

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/pause.hpp>
#include <amphibus/queue/inbox.hpp>

namespace {

namespace base = amphibus::base;
namespace queue = amphibus::queue;

constexpr std::uint64_t rounds = 300'000;
constexpr auto silence_max = std::chrono::seconds(2);  // a round takes some microseconds

class woken_inbox final : public queue::inbox<std::uint64_t> {
 public:
  using inbox::inbox;
  base::parker parker;

 protected:
  void activated() noexcept override { parker.unpark(); }
};

/// Lines that both sides have: the publisher's stores to them wait for the other core, and the store of its message
/// waits behind them, while its look at who sleeps does not. So the window is as wide as the machine can make it.
struct alignas(64) shared_line {
  std::atomic<std::uint64_t> word{0};
};
shared_line lines[64];  // with 24 the window was missed in 3 of 10 runs on near cores

/// As an executor does (src/detail/executor_core.cpp), but without spinning first.
void consume(woken_inbox& from, bool barrier, std::atomic<std::uint64_t>& handled) {
  while (handled.load(std::memory_order_relaxed) != rounds) {
    std::uint64_t got[4];
    for (const shared_line& each : lines) static_cast<void>(each.word.load(std::memory_order_relaxed));
    if (const std::size_t count = from.pop(got, 4)) {
      from.finish(queue::load::of_small(count));
      handled.fetch_add(count, std::memory_order_release);
      continue;
    }
    from.deactivate();
    if (barrier) base::heavy_barrier();
    if (from.pushed() != from.finished()) {
      if (!from.reactivate()) from.parker.park();
      continue;
    }
    from.rest();
    from.parker.park();
  }
}

/// As an outlet does on its fast path (include/amphibus/detail/outlet.hpp): the compiler's barrier alone.
void publish(const std::shared_ptr<woken_inbox>& to, std::atomic<std::uint64_t>& handled) {
  queue::gate gate;
  const auto out = std::make_shared<queue::multicast<std::uint64_t>>();
  queue::multicast_sender<std::uint64_t> sender(gate, to, out);
  for (std::uint64_t i = 0; i != rounds; ++i) {
    while (!out->has_room()) out->set_room(static_cast<std::uint64_t>(sender.find_room()));
    base::pause(static_cast<unsigned>(i % 37));  // now earlier, now later than the other's look
    for (shared_line& each : lines) each.word.store(i, std::memory_order_relaxed);
    static_cast<void>(out->push_if_room([i] { return i; }));
    base::compiler_barrier();
    if (out->may_have_sleepers() && out->take_sleepers()) to->announce();
    while (handled.load(std::memory_order_acquire) != i + 1) base::yield();
  }
}

/// In a process of its own, which may hang. Returns: how many rounds were done before nothing moved any more.
std::uint64_t rounds_with(bool barrier) {
  auto* const handled = ::new (::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<std::uint64_t>(0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto box = std::make_shared<woken_inbox>(64, queue::overflow_rule{});
    std::thread consumer([&] { consume(*box, barrier, *handled); });
    publish(box, *handled);
    consumer.join();
    ::_exit(0);
  }
  pollfd ending{static_cast<int>(::syscall(SYS_pidfd_open, child, 0)), POLLIN, 0};
  std::uint64_t last = 0;
  auto moved_at = std::chrono::steady_clock::now();
  while (::waitpid(child, nullptr, WNOHANG) == 0) {
    const std::uint64_t now = handled->load(std::memory_order_relaxed);
    if (now != last) moved_at = std::chrono::steady_clock::now();
    last = now;
    if (std::chrono::steady_clock::now() - moved_at > silence_max) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      break;
    }
    ::poll(&ending, 1, 50);  // until it ends, or to see how far it is
  }
  ::close(ending.fd);
  return handled->load(std::memory_order_relaxed);
}

}  // namespace

int main(int argc, char**) {
  if (base::current_barrier_mode() != base::barrier_mode::membarrier) {
    std::printf("lock step: this kernel has no membarrier; nothing to show\n");
    return 0;
  }
  const std::uint64_t with = rounds_with(true);
  std::printf("lock step: %llu of %llu messages with the barrier: %s\n", static_cast<unsigned long long>(with),
              static_cast<unsigned long long>(rounds), with == rounds ? "ok" : "FALLS SHORT");
  if (argc > 1) return with == rounds ? 0 : 1;  // the other half needs two cores for itself
  std::uint64_t without = rounds;
  for (int attempt = 0; without == rounds && attempt != 10; ++attempt) without = rounds_with(false);
  std::printf("lock step: without it nothing moves any more after %llu messages: %s\n",
              static_cast<unsigned long long>(without), without != rounds ? "ok" : "NOT CAUGHT");
  return with == rounds && without != rounds ? 0 : 1;
}
