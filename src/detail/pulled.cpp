#include <amphibus/detail/pulled.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/pause.hpp>
#include <amphibus/detail/bus_core.hpp>

#include "detail/timer_desk.hpp"

namespace amphibus::detail {
namespace {

constexpr unsigned spin_pauses = 50;

}  // namespace

bool wait_for_messages(pulled_box& at, base::time_point deadline) {
  if (current_lane() != nullptr) return false;
  mailbox_base& box = at.box();
  queue::inbox_base& inbox = box.bounds();
  for (unsigned i = 0; i != spin_pauses; ++i) base::pause();
  if (box.ended() || at.has_unread()) return true;
  at.executor().stop_attending();
  inbox.deactivate();
  base::heavy_barrier();
  if (at.has_unread()) {
    // False: a producer was faster and has unparked us already.
    static_cast<void>(inbox.reactivate());
    return true;
  }
  box.core().work_ended();
  return box.core().clock().park_until(at.executor().parker(), deadline);
}

pull_executor::pull_executor(std::shared_ptr<executor_core> resumes_on)
    : executor_core("receiver"), resumes_on_(std::move(resumes_on)) {}

void pull_executor::ready(std::shared_ptr<mailbox_base> box) {
  std::shared_ptr<executor_core> attends;
  {
    const std::lock_guard lock(mutex_);
    if (attended_) attends = resumes_on_;
  }
  attends ? attends->ready(std::move(box)) : parker_.unpark();
}

void pull_executor::poke() noexcept {
  parker_.unpark();
  if (const auto also = resumes_on()) also->poke();
}

std::shared_ptr<executor_core> pull_executor::resumes_on() noexcept {
  const std::lock_guard lock(mutex_);
  return resumes_on_;
}

bool pull_executor::wait(pulled_box& at, waiting_coroutine& who) {
  const std::shared_ptr<mailbox_base> box = at.box().shared_mailbox();  // the frame that holds it may be gone below
  if (!resumes_on()) {
    auto serial = box->core().serial_executor();
    const std::lock_guard lock(mutex_);
    resumes_on_ = std::move(serial);
  }
  const base::time_point deadline = who.deadline;
  if (deadline != base::time_point::max()) box->core().timers().start();  // so that nothing fails below
  std::shared_ptr<executor_core> begins;
  bool arms = false;
  {
    const std::lock_guard lock(mutex_);
    AMPHIBUS_ASSERT(waiting_ == nullptr, "two coroutines wait for a message of one receiver");
    if (who.cancelled || box->ended()) return false;
    waiting_ = &who;
    if (!std::exchange(attended_, true)) begins = resumes_on_;
    arms = arm_locked(deadline);
  }
  if (arms) tell_at(deadline, at);
  // It looks before it sleeps; where it has the mailbox already, or gets it with the next message, this is a look.
  begins ? begins->ready(box) : box->bounds().announce();
  return true;
}

void pull_executor::cancel(pulled_box& at, waiting_coroutine& who) noexcept {
  {
    const std::lock_guard lock(mutex_);
    who.cancelled = true;
    if (waiting_ != &who) return;
  }
  at.box().bounds().announce();
}

void pull_executor::withdraw(const waiting_coroutine& who) noexcept {
  const std::lock_guard lock(mutex_);
  if (waiting_ == &who) waiting_ = nullptr;
}

void pull_executor::stop_attending() noexcept {
  const std::lock_guard lock(mutex_);
  attended_ = false;
}

bool pull_executor::has_work(pulled_box& at) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ == nullptr) return attended_ = false;
    if (is_due_locked(at)) return true;
  }
  return at.has_unread();  // not under the lock: who holds the inbox's may wait for a publisher that needs ours
}

bool pull_executor::somebody_waits() noexcept {
  const std::lock_guard lock(mutex_);
  return waiting_ != nullptr;
}

bool pull_executor::is_due_locked(pulled_box& at) const noexcept {
  if (waiting_->cancelled || at.box().ended()) return true;
  return waiting_->deadline != base::time_point::max() && at.box().core().clock().now() >= waiting_->deadline;
}

std::coroutine_handle<> pull_executor::take(pulled_box& at, bool there, std::shared_ptr<task_state>& owner) noexcept {
  const std::lock_guard lock(mutex_);
  if (waiting_ == nullptr || (!there && !is_due_locked(at))) return nullptr;
  owner = std::move(waiting_->owner);
  return std::exchange(waiting_, nullptr)->handle;
}

bool pull_executor::arm_locked(base::time_point deadline) noexcept {
  if (armed_until_ <= deadline) return false;  // then the timer looks at it, and sees to the rest
  armed_until_ = deadline;
  return true;
}

void pull_executor::tell_at(base::time_point when, pulled_box& at) {
  at.box().core().timers().tell(std::shared_ptr<timed>(at.box().shared_mailbox(), &at), when);
}

void pull_executor::time_has_come(pulled_box& at) noexcept {
  auto next = base::time_point::max();
  bool arms = false;
  {
    const std::lock_guard lock(mutex_);
    armed_until_ = base::time_point::max();
    if (waiting_ == nullptr) return;
    next = waiting_->deadline;
    arms = at.box().core().clock().now() < next && next != base::time_point::max();
    if (arms) armed_until_ = next;
  }
  arms ? tell_at(next, at) : at.box().bounds().announce();
}

pulled_box::~pulled_box() {
  if (cause_topic_ != nullptr) cause_.drop_reference();
}

std::size_t pulled_box::resume() noexcept {
  if (turn().stalled() && !turn().settle()) return 0;
  if (!executor().somebody_waits()) return 0;
  const bool there = fill();
  std::shared_ptr<task_state> owner;
  const std::coroutine_handle<> next = executor().take(*this, there, owner);
  if (!next) return 0;
  if (owner && !owner->enter()) return 1;  // its owner is about to destroy it
  turn_left_ = mailbox_base::batch_max;
  {
    frame here(box().core(), box(), &turn(), nullptr);
    try {
      next.resume();  // may throw, if its type lets exceptions out
      if (owner && owner->failure()) std::rethrow_exception(owner->failure());
    } catch (const std::exception& failure) {
      box().count_failed(failure.what());
    } catch (...) {
      box().count_failed("an exception that is not a std::exception");
    }
    if (owner) owner->leave();
  }
  if (turn().stalled()) static_cast<void>(turn().settle());  // asks to be told of room
  return std::max<std::size_t>(1, mailbox_base::batch_max - turn_left_);
}

bool pulled_box::runs_here() noexcept { return current_frame != nullptr && &current_frame->owner == &box(); }

void pulled_box::set_cause(identity_word message, topic_core* topic) noexcept {
  if (cause_topic_ != nullptr) cause_.drop_reference();
  cause_ = message;
  cause_topic_ = topic;
  current_frame->message = message;
  current_frame->topic = topic;
}

void pulled_box::resume_at_end() noexcept {
  if (box().ended() && executor().somebody_waits()) box().run();
}

}  // namespace amphibus::detail
