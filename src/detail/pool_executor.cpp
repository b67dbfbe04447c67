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

constexpr unsigned spin_pauses = 50;
constexpr unsigned yields_before_sleep = 5;

}  // namespace

pool_executor::pool_executor(std::string name, pool_options options)
    : executor_core(std::move(name)), options_(std::move(options)) {
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

void pool_executor::enqueue(std::shared_ptr<mailbox_base> who) {
  base::parker* waking = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    ready_.push_back(std::move(who));
    ready_count_.store(ready_.size(), std::memory_order_relaxed);
    waking = pick_idle();
  }
  if (waking != nullptr) waking->unpark();
}

void pool_executor::ready(std::shared_ptr<mailbox_base> who) { enqueue(std::move(who)); }

void pool_executor::poke() noexcept {
  std::vector<base::parker*> waking;
  {
    const std::lock_guard lock(mutex_);
    ++pokes_;
    for (auto& each : stalled_) {
      ready_.push_back(std::move(each.who));
      if (base::parker* const idle = pick_idle()) waking.push_back(idle);
    }
    stalled_.clear();
    ready_count_.store(ready_.size(), std::memory_order_relaxed);
  }
  for (base::parker* each : waking) each->unpark();
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
  std::deque<std::shared_ptr<mailbox_base>> dying;  // they own this executor: let go outside the lock
  std::vector<stalled> dying_stalled;
  const std::lock_guard lock(mutex_);
  dying.swap(ready_);
  dying_stalled.swap(stalled_);
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

pool_executor::turn pool_executor::take(worker& self) {
  for (;;) {
    auto deadline = base::time_point::max();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return {};
      if (!ready_.empty()) {
        turn out{std::move(ready_.front()), pokes_};
        ready_.pop_front();
        ready_count_.store(ready_.size(), std::memory_order_relaxed);
        return out;
      }
    }
    if (spin_until_ready()) continue;
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

base::time_point pool_executor::stall_deadline() const {
  auto earliest = base::time_point::max();
  for (const auto& each : stalled_) earliest = std::min(earliest, each.deadline);
  return earliest;
}

void pool_executor::finish(turn of, std::size_t handled) {
  if (of.who->stalled()) {
    const auto deadline = of.who->stall_deadline();
    base::parker* waking = nullptr;
    {
      const std::lock_guard lock(mutex_);
      // A poke while it ran may have been for it.
      if (of.pokes != pokes_) {
        ready_.push_back(std::move(of.who));
      } else {
        stalled_.push_back({std::move(of.who), deadline});
      }
      ready_count_.store(ready_.size(), std::memory_order_relaxed);
      waking = pick_idle();  // somebody sleeps without knowing this deadline
    }
    if (waking != nullptr) waking->unpark();
    return;
  }
  if (handled != 0 && !of.who->ended()) return enqueue(std::move(of.who));
  let_go_if_empty(std::move(of.who));
}

void pool_executor::let_go_if_empty(std::shared_ptr<mailbox_base> who) {
  who->bounds().deactivate();
  base::heavy_barrier();
  if (!who->has_work()) return who->core().work_ended();
  // False: a producer was faster, and it is in ready_ already.
  if (who->bounds().reactivate()) enqueue(std::move(who));
}

}  // namespace amphibus::detail
