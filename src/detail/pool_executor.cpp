#include "detail/pool_executor.hpp"

#include <algorithm>
#include <utility>

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/pause.hpp>
#include <amphibus/base/this_thread.hpp>
#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/mailbox.hpp>

namespace amphibus::detail {
namespace {

constexpr auto short_spin = std::chrono::nanoseconds(1'300);
constexpr unsigned yields_before_sleep = 5;

}  // namespace

pool_executor::pool_executor(std::string name, pool_options options)
    : turn_executor(std::move(name)),
      options_(std::move(options)),
      ready_(options_.priorities, options_.passed_over_max) {
  for (std::size_t i = 0; i != options_.threads; ++i) {
    workers_.push_back(std::make_unique<worker>());
    worker& self = *workers_.back();
    self.thread = std::thread([this, &self, number = std::to_string(i)] {
      base::name_this_thread(this->name().substr(0, 14 - number.size()) + "-" + number);
      base::pin_this_thread(options_.cpus);
      run(self);
    });
  }
}

pool_executor::~pool_executor() {
  stop();
  join();
}

base::parker* pool_executor::pick_idle() noexcept {
  if (idle_.empty()) return nullptr;
  base::parker* const picked = idle_.back();  // the warmest
  idle_.pop_back();
  return picked;
}

void pool_executor::enqueue(std::shared_ptr<mailbox_base> who, bool from_outside) {
  base::parker* waking = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (collected_) return;
    const std::size_t priority = who->priority();
    ready_.push(std::move(who), priority);
    ready_count_.store(ready_.size(), std::memory_order_relaxed);
    if (from_outside) waking = pick_idle();
  }
  if (waking != nullptr) waking->unpark();
}

void pool_executor::watch(mailbox_base&, base::time_point) {
  base::parker* waking = nullptr;
  {
    const std::lock_guard lock(mutex_);
    waking = pick_idle();  // somebody sleeps without knowing this deadline
  }
  if (waking != nullptr) waking->unpark();
}

void pool_executor::stop() noexcept {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const auto& each : workers_) each->parker.unpark();
}

bool pool_executor::join() {
  for (const auto& each : workers_) {
    if (each->thread.get_id() == std::this_thread::get_id()) return false;
  }
  const std::lock_guard once(join_mutex_);
  for (const auto& each : workers_) {
    if (each->thread.joinable()) each->thread.join();
  }
  auto dying = take_stalled();  // they own this executor: let go outside the lock
  {
    const std::lock_guard lock(mutex_);
    while (!ready_.empty()) dying.push_back(ready_.pop());
    collected_ = true;
  }
  for (const auto& each : dying) each->executor_ended();
  return true;
}

void pool_executor::run(worker& self) {
  for (;;) {
    turn next = take(self);
    if (!next.who) return;
    const std::size_t handled = next.who->run();
    finish(std::move(next), handled);
  }
}

turn_executor::turn pool_executor::take(worker& self) {
  for (;;) {
    std::shared_ptr<mailbox_base> next;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return {};
      if (!ready_.empty()) next = ready_.pop();
      ready_count_.store(ready_.size(), std::memory_order_relaxed);
    }
    if (next) return begin(std::move(next));
    if (spin_until_ready()) continue;
    auto deadline = base::time_point::max();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || !ready_.empty()) continue;
      idle_.push_back(&self.parker);
      deadline = stall_deadline();
    }
    // The parker remembers an unpark that comes before the sleep.
    const bool woken =
        deadline == base::time_point::max() ? (self.parker.park(), true) : self.parker.park_until(deadline);
    {
      const std::lock_guard lock(mutex_);
      std::erase(idle_, &self.parker);
    }
    if (!woken) poke();  // a held message reached its deadline
  }
}

bool pool_executor::spin_until_ready() {
  const auto there = [this] { return ready_count_.load(std::memory_order_relaxed) != 0; };
  if (options_.spin > base::duration::zero()) {
    const auto until = base::steady_clock().now() + options_.spin;
    while (base::steady_clock().now() < until) {
      if (there()) return true;
      base::pause();
    }
    return false;
  }
  const unsigned spin_pauses = base::pauses_in(short_spin);
  for (unsigned i = 0; i != spin_pauses; ++i) {
    if (there()) return true;
    base::pause();
  }
  for (unsigned i = 0; i != yields_before_sleep; ++i) {
    std::this_thread::yield();
    if (there()) return true;
  }
  return false;
}

}  // namespace amphibus::detail
