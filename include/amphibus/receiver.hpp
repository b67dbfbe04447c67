#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <amphibus/bus.hpp>
#include <amphibus/detail/pulled.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// A message that was pulled, kept without a copy for as long as it is wanted.
///
/// It keeps its place in the receiver's inbox, which is how `capacity` bounds what is kept; destroying it frees the
/// place. Until then it counts as not handled: drain() and close() run to their deadline. Thread: confined, may be
/// moved to and destroyed on any thread. Lifetime: may outlive receiver and bus. One that was moved from may only be
/// assigned to or destroyed.
template <class T>
class message {
 public:
  message(message&& other) noexcept : home_(std::move(other.home_)), slot_(other.slot_), topic_(other.topic_) {}
  message& operator=(message&& other) noexcept {
    message ending(std::move(other));
    std::swap(home_, ending.home_);
    std::swap(slot_, ending.slot_);
    std::swap(topic_, ending.topic_);
    return *this;
  }
  ~message() {
    if (!home_) return;
    home_->finish_one(slot_);
    home_->core().work_ended();
  }

  [[nodiscard]] const T& operator*() const noexcept { return slot_.value(); }
  [[nodiscard]] const T* operator->() const noexcept { return &slot_.value(); }
  /// Who sent it, and what it belongs to. Lifetime: until this message is moved or destroyed.
  [[nodiscard]] context with() const noexcept { return {home_->core(), topic_, slot_.identity}; }

  /// For the library only.
  message(std::shared_ptr<detail::mailbox<detail::slot<T>>> home, const detail::slot<T>& slot) noexcept
      : home_(std::move(home)), slot_(slot), topic_(home_->wants().topic) {}

 private:
  std::shared_ptr<detail::mailbox<detail::slot<T>>> home_;
  detail::slot<T> slot_;
  detail::topic_core* topic_;
};

namespace detail {

/// The wait of one coroutine. Thread: the coroutine's. Lifetime: the co_await.
template <class T>
class [[nodiscard]] next_awaiter {
 public:
  next_awaiter(std::shared_ptr<pulled_mailbox<T>> box, base::duration limit, std::stop_token stop,
               std::shared_ptr<task_state> owner) noexcept
      : box_(std::move(box)), limit_(limit), stop_(std::move(stop)) {
    waiting_.owner = std::move(owner);
  }
  next_awaiter(const next_awaiter&) = delete;
  next_awaiter& operator=(const next_awaiter&) = delete;
  ~next_awaiter() {
    on_stop_.reset();
    if (suspended_) box_->pulled_box::executor().withdraw(waiting_);
    if (saved_topic_ != nullptr) saved_cause_.drop_reference();
  }

  [[nodiscard]] bool await_ready() noexcept {
    if (waiting_.owner && waiting_.owner->is_over()) return false;
    if (!box_ || box_->ended() || stop_.stop_requested()) return true;
    return box_->runs_here() && box_->may_go_on() && box_->fill();
  }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> suspended) {
    if (waiting_.owner && waiting_.owner->is_over()) return true;  // it ended itself: its owner destroys it now
    waiting_.handle = suspended;
    if (limit_ != base::duration::max()) {
      waiting_.deadline = base::deadline_after(box_->core().clock().now(), limit_);
    }
    save_cause();
    box_->expect_coroutines();
    suspended_ = true;
    if (stop_.stop_possible()) on_stop_.emplace(stop_, canceller{*this});
    return box_->pulled_box::executor().wait(*box_, waiting_);  // nothing of this may be touched afterwards
  }
  [[nodiscard]] std::optional<message<T>> await_resume() {
    on_stop_.reset();
    slot<T> got;
    const bool there = box_ && !stop_.stop_requested() && box_->next_awaited(got);
    if (box_ && box_->runs_here()) restore_cause(there ? &got : nullptr);
    if (!there) return std::nullopt;
    return message<T>(box_, got);
  }

 private:
  struct canceller {
    next_awaiter& of;
    void operator()() noexcept { of.box_->pulled_box::executor().cancel(*of.box_, of.waiting_); }
  };

  void save_cause() noexcept {
    // A message of another bus says nothing in this one.
    if (current_frame == nullptr || current_frame->topic == nullptr || &current_frame->bus != &box_->core()) return;
    saved_cause_ = settled(current_frame->message);
    saved_topic_ = current_frame->topic;
    saved_cause_.add_reference();
  }
  void restore_cause(const slot<T>* got) noexcept {
    if (got != nullptr) {
      box_->count_in_turn();
      got->identity.add_reference();
      box_->set_cause(got->identity, box_->wants().topic);
    } else if (suspended_) {
      box_->set_cause(saved_cause_, std::exchange(saved_topic_, nullptr));
    }
  }

  const std::shared_ptr<pulled_mailbox<T>> box_;
  const base::duration limit_;
  const std::stop_token stop_;
  waiting_coroutine waiting_;
  bool suspended_ = false;
  identity_word saved_cause_;  // with a reference where saved_topic_ is not null
  topic_core* saved_topic_ = nullptr;
  std::optional<std::stop_callback<canceller>> on_stop_;
};

/// What receiver::next() returns: to be awaited at once. No aggregate, of which GCC 12 destroys copies twice.
template <class T>
class [[nodiscard]] next_wait {
 public:
  next_wait(std::shared_ptr<pulled_mailbox<T>> box, base::duration limit, std::stop_token stop) noexcept
      : box_(std::move(box)), limit_(limit), stop_(std::move(stop)) {}
  [[nodiscard]] next_awaiter<T> operator co_await() && noexcept {
    return {std::move(box_), limit_, std::move(stop_), std::move(owner_)};
  }
  void set_owner(std::shared_ptr<task_state> owner) noexcept { owner_ = std::move(owner); }

 private:
  std::shared_ptr<pulled_mailbox<T>> box_;
  base::duration limit_;
  std::stop_token stop_;
  std::shared_ptr<task_state> owner_;
};

}  // namespace detail

/// A subscription that is pulled instead of called; made by bus::receiver().
///
/// ```cpp
/// auto in = bus.receiver(orders);
/// while (auto next = in.next_for(std::chrono::seconds(1))) handle(**next);
/// ```
/// Or by a coroutine, of amphibus::task or of a type of your own, which waits without a thread:
///
/// ```cpp
/// amphibus::task watch(amphibus::receiver<order_placed> in) {
///   while (auto next = co_await in.next()) handle(**next);
/// }
/// ```
/// It takes up to 64 messages out of its inbox at once and hands them out one by one; what it took,
/// overflow::drop_oldest and latest can no longer throw out. Use it where a thread has a loop of its own, or where one
/// message after the other belongs to one story; `loop` where a thread polls descriptors; a handler everywhere else.
/// Messages that a thread publishes are not caused by what it pulled: hand the correlation on with publish_options.
/// Those of a coroutine are. Order: FIFO per source. Thread: confined; for a coroutine, wherever it runs, and then
/// end() from any. Lifetime: may outlive the bus; its destructor ends the subscription. One that was moved from is as
/// one that ended.
template <class T>
class receiver {
 public:
  receiver(receiver&&) noexcept = default;
  receiver& operator=(receiver&&) = delete;
  ~receiver() { end(); }

  /// The next message; none if nothing waits, or once the subscription ended. Never waits.
  [[nodiscard]] std::optional<message<T>> try_next() {
    detail::slot<T> next;
    if (!box_ || !box_->next(next)) return std::nullopt;
    return message<T>(box_, next);
  }
  /// The next message, waiting for it until `deadline` of the bus's clock. Returns: none at the deadline, when the bus
  /// was closed and everything is read, and inside a handler, which never waits.
  [[nodiscard]] std::optional<message<T>> next_until(base::time_point deadline) {
    for (;;) {
      if (auto next = try_next()) return next;
      if (!box_ || box_->ended()) return std::nullopt;
      if (!detail::wait_for_messages(*box_, deadline)) return try_next();
    }
  }
  /// The same for at most `limit`.
  [[nodiscard]] std::optional<message<T>> next_for(base::duration limit) {
    if (auto next = try_next()) return next;
    if (!box_) return std::nullopt;
    return next_until(base::deadline_after(box_->core().clock().now(), limit));
  }

  /// `co_await in.next()` is the next message, `co_await in.next(limit)` for at most so long by the bus's clock,
  /// `co_await in.next(stop)` until a stop is requested, which also counts when it was before. Returns: none after the
  /// limit, after a stop, when the receiver ended, and when the bus was closed and everything is read.
  ///
  /// The coroutine goes on on the executor of the receiver, `.on`, as a handler of it would: what it publishes belongs
  /// to one source, is caused by the message that it awaited last, and never waits for room; after 256 messages others
  /// have their turn. Nobody else may use the receiver while it waits, but for end(). Where the coroutine's type is
  /// your own: it may be destroyed while it waits only on that executor, if that has one thread. Throws:
  /// std::system_error if a thread is needed and the system starts none. Allocates nothing per message.
  [[nodiscard]] detail::next_wait<T> next(base::duration limit = base::duration::max(), std::stop_token stop = {}) {
    return {box_, limit, std::move(stop)};
  }
  [[nodiscard]] detail::next_wait<T> next(std::stop_token stop) { return next(base::duration::max(), std::move(stop)); }

  /// Ends the subscription: what was not pulled counts as unsubscribed; messages that were stay good. A coroutine that
  /// waits goes on without a message; while one runs on its executor this waits for it, unless called there.
  /// Idempotent.
  void end() {
    if (!box_) return;
    box_->end();
    box_->give_up_rest();
  }
  /// False once ended here or moved from.
  explicit operator bool() const noexcept { return box_ && !box_->given_up(); }
  /// Precondition: not moved from. `pending` includes what is kept.
  [[nodiscard]] subscription_counters counters() const { return box_->counters(); }
  [[nodiscard]] const std::string& name() const { return box_->name(); }

  /// For the library only.
  explicit receiver(std::shared_ptr<detail::pulled_mailbox<T>> box) : box_(std::move(box)) {}

 private:
  std::shared_ptr<detail::pulled_mailbox<T>> box_;
};

template <class T>
receiver<T> bus::receiver(const topic<T>& to, const subscription_options& options) {
  auto box = std::make_shared<detail::pulled_mailbox<T>>(
      core_, detail::interest{.topic = &find(to), .history = options.start.per_key()},
      std::make_shared<detail::pull_executor>(resumes_on(options)), subscription_name(options),
      bounds_for<T, detail::slot<T>>(options));
  box->finish_from_many_threads();
  attach_pulled(box, options);
  return amphibus::receiver<T>(std::move(box));
}

}  // namespace amphibus
#pragma GCC visibility pop
