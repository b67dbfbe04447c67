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

constexpr auto short_spin = std::chrono::nanoseconds(1'300);

}  // namespace

bool wait_for_messages(pulled_box& at, base::time_point deadline) {
  if (current_lane() != nullptr) return false;
  mailbox_base& box = at.box();
  queue::inbox_base& inbox = box.bounds();
  base::pause(base::pauses_in(short_spin));
  if (box.ended() || at.has_unread()) return true;
  at.executor().stop_attending();
  inbox.deactivate();
  base::heavy_barrier();
  if (at.has_unread()) {
    // Else a producer was faster and has unparked us already.
    if (inbox.reactivate()) at.executor().attend_as_thread();
    return true;
  }
  inbox.rest();
  box.core().work_ended();
  return box.core().clock().park_until(at.executor().parker(), deadline);
}

/// Stands between the timer and a receiver that may be gone by then, and whose memory must not wait for that.
class alarm final : public timed {
 public:
  explicit alarm(pulled_box& of) noexcept : of_(&of) {}
  void time_has_come(base::time_point when) noexcept override {
    std::shared_ptr<subscriber_base> keeps;
    pulled_box* target = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (of_ == nullptr) return;
      keeps = of_->box().weak_from_this().lock();
      target = of_;
    }
    if (keeps) target->executor().time_has_come(*target, when);
  }
  void forget() noexcept {
    const std::lock_guard lock(mutex_);
    of_ = nullptr;
  }

 private:
  std::mutex mutex_;
  pulled_box* of_;
};

pull_executor::pull_executor(std::shared_ptr<executor_core> resumes_on)
    : executor_core("receiver"), resumes_on_(std::move(resumes_on)) {}

pull_executor::~pull_executor() = default;

void pull_executor::ready(std::shared_ptr<mailbox_base> box) {
  std::shared_ptr<executor_core> attends;
  {
    const std::lock_guard lock(mutex_);
    if (attended_) {
      attends = resumes_on_;
    } else {
      thread_was_told_ = true;
    }
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

void pull_executor::prepare(pulled_box& at, base::time_point deadline) {
  bus_core& core = at.box().core();
  if (!resumes_on()) {
    auto serial = core.serial_executor();
    const std::lock_guard lock(mutex_);
    resumes_on_ = std::move(serial);
  }
  if (deadline == base::time_point::max()) return;
  core.timers().start();
  const std::lock_guard lock(mutex_);
  if (!alarm_) alarm_ = std::make_shared<alarm>(at);
}

bool pull_executor::wait(pulled_box& at, waiting_coroutine& who) {
  const std::shared_ptr<mailbox_base> box = at.box().shared_mailbox();  // the frame that holds it may be gone below
  if (box->ended()) return false;
  const base::time_point deadline = who.deadline;
  prepare(at, deadline);  // what can fail
  bool tells = false;
  bool asks = false;
  {
    const std::lock_guard lock(mutex_);
    AMPHIBUS_ASSERT(waiting_ == nullptr, "two coroutines wait for a message of one receiver");
    if (who.cancelled || box->ended()) return false;
    waiting_ = &who;
    if (!std::exchange(attended_, true)) {
      const bool told = std::exchange(thread_was_told_, false);
      tells = box->bounds().reactivate() || told;  // else whoever made it promise is about to hand it over
    }
    asks = asked_.add(deadline);
  }
  hand_over(at, box, tells, deadline, asks);
  return true;
}

void pull_executor::hand_over(pulled_box& at, const std::shared_ptr<mailbox_base>& box, bool tells,
                              base::time_point deadline, bool asks) noexcept {
  if (asks) box->core().timers().tell(alarm_, deadline);
  // An executor that has it looks before it sleeps; without one, this is the look.
  tells ? resumes_on()->ready(box) : at.box().bounds().announce();
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
  attended_ = thread_was_told_ = false;
}

void pull_executor::attend_as_thread() noexcept {
  const std::lock_guard lock(mutex_);
  thread_was_told_ = true;
}

void pull_executor::forget_alarm() noexcept {
  if (alarm_) alarm_->forget();
}

bool pull_executor::has_work(pulled_box& at) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ == nullptr) {
      attended_ = false;
      parker_.unpark();  // a thread that waits now may have relied on this look
      return false;
    }
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

void pull_executor::time_has_come(pulled_box& at, base::time_point when) noexcept {
  auto next = base::time_point::max();
  bool asks = false;
  {
    const std::lock_guard lock(mutex_);
    asked_.remove(when);
    if (waiting_ == nullptr) return;
    next = waiting_->deadline;
    asks = !is_due_locked(at);
    if (asks && !asked_.add(next)) return;  // another look is asked for, or none is needed
  }
  asks ? at.box().core().timers().tell(alarm_, next) : at.box().bounds().announce();
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
