#include <amphibus/detail/executor_core.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#ifdef __linux__
#include <sys/eventfd.h>
#include <unistd.h>
#endif

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/pause.hpp>
#include <amphibus/base/this_thread.hpp>
#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/mailbox.hpp>
#include <amphibus/executor.hpp>

#include "detail/spin_budget.hpp"
#include "detail/thread_executor.hpp"

namespace amphibus::detail {
namespace {

// research: a nap after a drain that found the end keeps the consumer off the producer's cache line (x2 to x4). A lone
// message is not delayed by it, because the nap comes after the handler.
constexpr auto short_nap = std::chrono::nanoseconds(850);
// For who found many after a short one: the next drain is a whole batch (far cores: a quarter more messages a second).
constexpr auto long_nap = 3 * short_nap;
constexpr std::size_t small_drain = mailbox_base::batch_max / 4;
constexpr auto yielding_max = std::chrono::microseconds(200);  // what each costs is up to who else wants the core
constexpr auto short_spin = std::chrono::nanoseconds(1'300);
constexpr unsigned pauses_between_looks = 4;

}  // namespace

executor_core::executor_core(std::string name) : name_(std::move(name)) {}

executor_core::~executor_core() = default;

void executor_core::ready(std::shared_ptr<mailbox_base> who) {
  bool first = false;
  {
    const std::lock_guard lock(arrivals_mutex_);
    if (abandoned_) return;
    first = arrivals_.empty();  // whoever was first pokes for all that come until they are taken
    arrivals_.push_back(std::move(who));
    has_arrivals_.store(true, std::memory_order_release);
  }
  if (first) poke();
}

bool executor_core::take_arrivals() {
  if (!has_arrivals_.load(std::memory_order_acquire)) return false;
  const std::lock_guard lock(arrivals_mutex_);
  std::move(arrivals_.begin(), arrivals_.end(), std::back_inserter(active_));
  arrivals_.clear();
  has_arrivals_.store(false, std::memory_order_relaxed);
  return true;
}

std::size_t executor_core::pass() {
  take_arrivals();
  std::size_t handled = 0;
  // By index: a handler may subscribe, and a mailbox that becomes ready lands in arrivals_, never in active_.
  for (std::size_t i = 0; i != active_.size(); ++i) handled += active_[i]->run();
  return handled;
}

bool executor_core::leaves_room_for(std::size_t messages) const {
  return std::all_of(active_.begin(), active_.end(), [messages](const std::shared_ptr<mailbox_base>& each) {
    const queue::inbox_base& box = each->bounds();
    return !queue::refuses_when_full(box.overflow().kind) ||
           messages <= static_cast<std::uint64_t>(box.credit().capacity());
  });
}

bool executor_core::prepare_to_sleep() {
  if (has_arrivals_.load(std::memory_order_acquire)) return false;
  for (const auto& each : active_) each->bounds().deactivate();
  base::heavy_barrier();
  bool work_left = false;
  std::erase_if(active_, [&](const std::shared_ptr<mailbox_base>& each) {
    const bool waits = each->stalled();
    if (!waits && !each->has_work()) {
      each->bounds().rest();
      each->core().work_ended();
      return true;
    }
    work_left = work_left || !waits;
    // False: a producer was faster and the mailbox is among the arrivals already.
    return !each->bounds().reactivate();
  });
  return !work_left && !has_arrivals_.load(std::memory_order_acquire);
}

base::time_point executor_core::sleep_deadline() const {
  auto earliest = base::time_point::max();
  for (const auto& each : active_) earliest = std::min(earliest, each->stall_deadline());
  return earliest;
}

void executor_core::abandon() noexcept {
  std::vector<std::shared_ptr<mailbox_base>> dying;
  {
    const std::lock_guard lock(arrivals_mutex_);
    abandoned_ = true;
    dying.swap(arrivals_);
  }
  std::move(active_.begin(), active_.end(), std::back_inserter(dying));
  active_.clear();
  for (const auto& each : dying) each->executor_ended();
}

thread_executor::thread_executor(std::string name)
    : executor_core(std::move(name)), thread_([this] {
        base::name_this_thread(this->name());
        run();
      }) {}

thread_executor::~thread_executor() {
  stop();
  join();
}

void thread_executor::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  poke();
}

bool thread_executor::join() {
  if (thread_.get_id() == std::this_thread::get_id()) return false;
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) {
    thread_.join();
    abandon();
  }
  return true;
}

int spin_budget::cores() noexcept {
  static const int count = std::max(1, static_cast<int>(base::usable_cpus().size()));
  return count;
}

void thread_executor::run() {
  spin_budget spinning;
  const unsigned short_pauses = base::pauses_in(short_nap);
  const unsigned long_pauses = base::pauses_in(long_nap);
  const auto nap = [&](std::size_t handled) {
    if (!spin_budget::has_core()) return std::this_thread::yield();
    base::pause(handled < small_drain ? short_pauses : long_pauses);
  };
  while (!stopping_.load(std::memory_order_acquire)) {
    const std::size_t handled = pass();
    if (handled != 0) {
      if (handled < mailbox_base::batch_max && leaves_room_for(4 * handled)) nap(handled);
      continue;
    }
    if (spin_until_work(spinning)) continue;
    // The parker remembers a poke that comes between the last look and the sleep.
    if (prepare_to_sleep()) {
      const auto deadline = sleep_deadline();
      const auto since = base::steady_clock().now();
      spinning.going_to_sleep();
      deadline == base::time_point::max() ? parker_.park() : void(parker_.park_until(deadline));
      spinning.woke_up(base::steady_clock().now() - since);
    }
  }
}

bool thread_executor::spin_until_work(const spin_budget& within) {
  if (const base::duration longer = within.time(); longer != base::duration::zero()) {
    const auto until = base::steady_clock().now() + longer;
    do {
      base::pause(pauses_between_looks);
      if (pass() != 0) return true;
    } while (base::steady_clock().now() < until);
  }
  // Nothing is worth a spin where somebody else has work for the core.
  const unsigned spin_pauses = spin_budget::has_core() ? base::pauses_in(short_spin) : 0;
  for (unsigned i = 0; i != spin_pauses; ++i) {
    base::pause();
    if ((i & 15U) == 15U && pass() != 0) return true;
  }
  const int yields = within.yields();
  const bool many = yields > spin_budget::yields_min;
  const auto enough = many ? base::steady_clock().now() + yielding_max : base::time_point::max();
  for (int i = 0; i != yields; ++i) {
    std::this_thread::yield();
    if (pass() != 0) return true;
    if (i >= spin_budget::yields_min && base::steady_clock().now() >= enough) break;
  }
  return false;
}

#ifdef __linux__
loop_executor::loop_executor() : executor_core("loop"), descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ >= 0) return;
  throw error(error_code::out_of_descriptors,
              std::string("the system has no file descriptor for a loop: ") + std::strerror(errno),
              "close what is not used any more, or raise the limit of open files (ulimit -n)");
}

loop_executor::~loop_executor() { ::close(descriptor_); }

void loop_executor::poke() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void loop_executor::clear() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(descriptor_, &count, sizeof count);
}
#else
#error "loop needs a descriptor that wakes poll(); port it with a pipe"
#endif

void loop_executor::enter() {
  AMPHIBUS_ASSERT(!running_.exchange(true, std::memory_order_relaxed),
                  "a loop is run by two threads at once, or inside a handler of its own");
}

std::size_t loop_executor::run_once() {
  enter();
  clear();
  const std::size_t handled = pass();
  // Level-triggered: readable again unless everything was handled.
  if (handled != 0 || !prepare_to_sleep()) poke();
  running_.store(false, std::memory_order_relaxed);
  return handled;
}

std::size_t loop_executor::run_until_idle() {
  enter();
  std::size_t sum = 0;
  // Two system calls for a burst, however many passes it takes: the last look comes after a clear().
  for (bool idle = false; !idle;) {
    clear();
    idle = true;
    while (const std::size_t handled = pass()) {
      sum += handled;
      idle = false;
    }
  }
  if (!prepare_to_sleep()) poke();
  running_.store(false, std::memory_order_relaxed);
  return sum;
}

}  // namespace amphibus::detail

namespace amphibus {

loop::loop() : core_(std::make_shared<detail::loop_executor>()) {}

loop::~loop() { core_->abandon(); }

int loop::fd() const noexcept { return core_->descriptor(); }

std::size_t loop::run_once() { return core_->run_once(); }

std::size_t loop::run_until_idle() { return core_->run_until_idle(); }

executor_choice::executor_choice(const loop& here) : executor_choice(here.core_) {}

executor_choice::executor_choice(const amphibus::pool& threads) : executor_choice(threads.core_) {}

executor_choice::executor_choice(std::shared_ptr<detail::executor_core> core)
    : kind_(kind::given), given_(std::move(core)) {}

}  // namespace amphibus
