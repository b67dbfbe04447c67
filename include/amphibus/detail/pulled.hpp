#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <amphibus/detail/mailbox.hpp>
#include <amphibus/detail/task_state.hpp>
#include <amphibus/detail/timed.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class alarm;
class pulled_box;

/// A coroutine that waits for a message. Lies in its frame: the lock of the receiver's pull_executor decides between
/// who resumes it and who destroys it.
struct waiting_coroutine {
  std::coroutine_handle<> handle;
  std::shared_ptr<task_state> owner;                    ///< null: of a type that is not ours
  base::time_point deadline = base::time_point::max();  ///< by the bus's clock
  bool cancelled = false;                               ///< guarded by that lock
};

/// Who is told that something lies in a receiver: a thread that waits there, or the executor on which a coroutine goes
/// on.
///
/// Once a coroutine waits an executor *attends* to the inbox, as it does where a handler is: it has the mailbox, or the
/// next message hands it over. When it finds nobody waiting it stops attending, so that messages for a coroutine that
/// is busy elsewhere wake nobody; the next wait begins anew. Without coroutines the thread that pulls attends. Whoever
/// makes the inbox promise that somebody looks hands it over; where only a thread was told, the wait that finds the
/// promise hands it over instead. Thread: safe.
class pull_executor final : public executor_core {
 public:
  /// `resumes_on`: null for the serial executor, which starts when the first coroutine waits.
  explicit pull_executor(std::shared_ptr<executor_core> resumes_on);
  ~pull_executor() override;

  void ready(std::shared_ptr<mailbox_base> box) override;
  void poke() noexcept override;
  [[nodiscard]] base::parker& parker() noexcept { return parker_; }

  /// Registers a suspended coroutine; when this returns true it may run already. Returns: false if it has nothing to
  /// wait for, cancelled or its receiver ended. Throws: std::system_error if a thread is needed and there is none.
  [[nodiscard]] bool wait(pulled_box& at, waiting_coroutine& who);
  void cancel(pulled_box& at, waiting_coroutine& who) noexcept;
  /// Its frame dies.
  void withdraw(const waiting_coroutine& who) noexcept;
  /// A thread is about to wait itself, and deactivates the inbox.
  void stop_attending() noexcept;
  /// A thread made the inbox promise, for itself.
  void attend_as_thread() noexcept;

  /// Executor: true if it has to look again, after which the inbox is as without a wait.
  [[nodiscard]] bool has_work(pulled_box& at) noexcept;
  [[nodiscard]] bool somebody_waits() noexcept;
  /// Executor: the coroutine that waits, if `there` is a message for it or it need not wait any longer; else null.
  [[nodiscard]] std::coroutine_handle<> take(pulled_box& at, bool there, std::shared_ptr<task_state>& owner) noexcept;
  /// The timer looks at the deadline.
  void time_has_come(pulled_box& at, base::time_point when) noexcept;
  /// Nobody may be told any more.
  void forget_alarm() noexcept;
  /// Null before the first wait on the serial executor.
  [[nodiscard]] std::shared_ptr<executor_core> resumes_on() noexcept;

 private:
  [[nodiscard]] bool is_due_locked(pulled_box& at) const noexcept;
  void prepare(pulled_box& at, base::time_point deadline);
  void hand_over(pulled_box& at, const std::shared_ptr<mailbox_base>& box, bool tells, base::time_point deadline,
                 bool asks) noexcept;

  base::parker parker_;
  std::mutex mutex_;
  std::shared_ptr<executor_core> resumes_on_;
  waiting_coroutine* waiting_ = nullptr;
  bool attended_ = false;
  bool thread_was_told_ = false;  // of the promise that the inbox makes now
  asked_times asked_;             // when a timer looks at the deadline
  std::shared_ptr<alarm> alarm_;  // null before the first deadline
};

/// A mailbox that is pulled, without the type of its messages: what coroutines need of it. Running it resumes the one
/// that waits, under the run lock, as handlers run.
class pulled_box {
 public:
  pulled_box() = default;
  pulled_box(const pulled_box&) = delete;
  pulled_box& operator=(const pulled_box&) = delete;
  virtual ~pulled_box();

  [[nodiscard]] virtual mailbox_base& box() noexcept = 0;
  [[nodiscard]] virtual lane& turn() noexcept = 0;
  /// Under the run lock. Returns: true if a message lies ready that has not expired.
  [[nodiscard]] virtual bool fill() noexcept = 0;
  /// True if not everything was handed out that lies here or in the inbox. Thread: any.
  [[nodiscard]] virtual bool has_unread() noexcept = 0;

  [[nodiscard]] pull_executor& executor() noexcept { return static_cast<pull_executor&>(box().executor()); }

  /// Under the run lock: resumes who waits, if it is to be. Returns: how many messages it took; at least 1 if it ran.
  std::size_t resume() noexcept;
  /// True in the coroutine that resume() resumed, but not in handlers that run inside its publishes.
  [[nodiscard]] bool runs_here() noexcept;
  /// In there: true if it may have a further message at once; else others have to have their turn first.
  [[nodiscard]] bool may_go_on() noexcept { return turn_left_ != 0 && !turn().stalled(); }
  void count_in_turn() noexcept { turn_left_ -= turn_left_ != 0 ? 1 : 0; }
  /// In there: what this causes, from now on. Takes over a reference; `topic` is null for nothing.
  void set_cause(identity_word message, topic_core* topic) noexcept;
  /// The bus closed, and no thread of it runs it any more: who waits goes on here, to find that nothing comes.
  void resume_at_end() noexcept;

 private:
  std::size_t turn_left_ = 0;  // messages; run lock
  identity_word cause_;        // with a reference where cause_topic_ is not null; run lock
  topic_core* cause_topic_ = nullptr;
};

/// The handler of a mailbox that is pulled: nobody calls it.
class no_handler final : public message_handler {
 public:
  void invoke(const void*, std::size_t, frame&, const context&) override {}
  [[nodiscard]] bool takes_batches() const noexcept override { return false; }
};

/// The inbox of a receiver, and the messages that it took out of it at once and hands out one by one.
///
/// Thread: who pulls, one at a time; the buffer is guarded by the run lock as soon as a coroutine has waited.
template <class T>
class pulled_mailbox final : public mailbox<slot<T>>, public pulled_box {
 public:
  pulled_mailbox(std::shared_ptr<bus_core> core, interest to, std::shared_ptr<pull_executor> on, std::string name,
                 const inbox_bounds& bounds)
      : mailbox<slot<T>>(std::move(core), std::move(to), std::move(on), std::move(name), bounds,
                         std::make_unique<no_handler>()) {}
  ~pulled_mailbox() override {
    pulled_box::executor().forget_alarm();
    this->discard_queue();
  }

  /// The next message that has not expired. Returns: false if none lies here now.
  [[nodiscard]] bool next(slot<T>& out) noexcept {
    if (coroutines_.load(std::memory_order_relaxed)) {
      const auto lock = lock_out_runs();
      return fill() && hand_out(out);
    }
    while (!skip_expired()) {
      const auto lock = lock_out_runs();
      if (!refill()) return false;
    }
    return hand_out(out);
  }
  /// The same for a coroutine that was resumed, or did not suspend, because there is one: it is not asked again whether
  /// it has expired.
  [[nodiscard]] bool next_awaited(slot<T>& out) noexcept {
    return runs_here() && at_ != size_ ? hand_out(out) : next(out);
  }
  /// Gives up what was taken and not handed out. After the end.
  void give_up_rest() noexcept {
    const auto lock = lock_out_runs();
    for (; at_ != size_; ++at_) {
      this->count_unsubscribed(1);
      this->finish_one(buffer_.data()[at_]);
      count_handed_out();
    }
    given_up_.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] bool given_up() const noexcept { return given_up_.load(std::memory_order_relaxed); }
  /// A coroutine is about to wait for the first time.
  void expect_coroutines() noexcept { coroutines_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t handed_out() const noexcept { return handed_out_.load(std::memory_order_relaxed); }

  [[nodiscard]] mailbox_base& box() noexcept override { return *this; }
  [[nodiscard]] lane& turn() noexcept override { return this->own_lane(); }
  [[nodiscard]] bool fill() noexcept override {
    while (!skip_expired()) {
      if (!refill()) return false;
    }
    return true;
  }
  [[nodiscard]] bool has_unread() noexcept override { return this->pushed() != handed_out() + this->replaced(); }

  std::size_t run() noexcept override {
    if (this->on_this_stack()) return 0;
    std::size_t count = 0;
    {
      const std::unique_lock lock(this->run_mutex_, std::try_to_lock);
      if (!lock) return 0;  // somebody else is at it
      count = resume();
    }
    // What it holds back is placed first; until then the end is not complete.
    if (this->ended() && (count != 0 || !this->own_lane().stalled())) this->finish_own_end();
    return count;
  }
  [[nodiscard]] base::time_point stall_deadline() const override {
    const std::lock_guard lock(this->run_mutex_);
    return mailbox<slot<T>>::stall_deadline();
  }
  [[nodiscard]] bool has_work() noexcept override { return pulled_box::executor().has_work(*this); }
  [[nodiscard]] bool holds_back() noexcept override {
    return this->own_lane().stalled() || pulled_box::executor().somebody_waits();
  }
  void release_thread() noexcept override {
    if (const auto on = pulled_box::executor().resumes_on()) this->core().release_dedicated(*on);
  }
  void executor_ended() noexcept override { resume_at_end(); }

 protected:
  /// There is no callable; but who waits has to be told.
  void destroy_handler() noexcept override { this->announce(); }

 private:
  static constexpr std::size_t buffer_size = 64;

  /// Nothing to lock where it runs on this very stack.
  [[nodiscard]] std::unique_lock<base::small_mutex> lock_out_runs() {
    return this->on_this_stack() ? std::unique_lock<base::small_mutex>() : std::unique_lock(this->run_mutex_);
  }
  [[nodiscard]] bool skip_expired() noexcept {
    for (; at_ != size_; ++at_) {
      if (!this->is_expired(buffer_.data()[at_].identity)) return true;
      this->count_expired(1);
      this->finish_one(buffer_.data()[at_]);
      count_handed_out();
      this->tell_work_ended();
    }
    return false;
  }
  [[nodiscard]] bool refill() noexcept {
    at_ = 0;
    size_ = this->ended() ? 0 : this->take_for_pulling(buffer_.data(), buffer_size);
    return size_ != 0;
  }
  bool hand_out(slot<T>& out) noexcept {
    out = buffer_.data()[at_++];
    count_handed_out();
    this->count_handled(1);
    return true;
  }
  void count_handed_out() noexcept {
    handed_out_.store(handed_out_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  slot_array<slot<T>, buffer_size> buffer_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::atomic<bool> coroutines_{false};
  std::atomic<bool> given_up_{false};
  std::atomic<std::uint64_t> handed_out_{0};  // expired ones included
};

/// Waits until something may be there. Returns: false at `deadline`, or at once inside a handler, which never waits.
[[nodiscard]] bool wait_for_messages(pulled_box& at, base::time_point deadline);

}  // namespace amphibus::detail
#pragma GCC visibility pop
