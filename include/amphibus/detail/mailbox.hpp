#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <amphibus/context.hpp>
#include <amphibus/counters.hpp>
#include <amphibus/detail/executor_core.hpp>
#include <amphibus/detail/frame.hpp>
#include <amphibus/queue/inbox.hpp>

namespace amphibus::detail {

class bus_core;
class outlet_base;
class topic_core;

struct type_operations;

/// The identity that a handler, a thread or a publisher handle publishes under.
struct source_state {
  std::uint64_t index = 0;  ///< 0: assigned by the bus at the first publish
  std::uint64_t next_sequence = 1;
};

/// A source with several topics, a handler or a thread outside handlers, and its outlets. The name's address is the
/// key: topic names are literals.
struct source : source_state {
  struct entry {
    const char* name;
    const type_operations* type;
    std::shared_ptr<outlet_base> outlet;
  };
  std::vector<entry> outlets;
};

/// One subscription's engine side without the message type: who it is, whether it ended, what its handler holds back.
///
/// Thread: the running executor calls run(); end() from anywhere. Lifetime: shared by the subscription, the topic's
/// table and publishers with an old table; those keep the inbox alive, never the handler.
class mailbox_base : public std::enable_shared_from_this<mailbox_base> {
 public:
  /// How many messages are taken at once; also how long an ended subscription may look busy: never longer than a
  /// handler.
  static constexpr std::size_t batch_max = 256;
  /// What one running message may hold back before publish answers would_block.
  static constexpr std::size_t held_max = 1024;

  mailbox_base(std::shared_ptr<bus_core> core, topic_core& of, std::shared_ptr<executor_core> on, std::string name);
  mailbox_base(const mailbox_base&) = delete;
  mailbox_base& operator=(const mailbox_base&) = delete;
  virtual ~mailbox_base();

  /// Handles up to batch_max messages. Returns: how many.
  virtual std::size_t run() noexcept = 0;
  [[nodiscard]] virtual queue::inbox_base& bounds() noexcept = 0;

  /// The subscription's end, with the guarantee of subscription's destructor. Idempotent.
  void end();
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  /// True while a handler's publishes wait for room: no further message is taken.
  [[nodiscard]] bool stalled() const noexcept { return held_.load(std::memory_order_relaxed) != 0; }
  [[nodiscard]] base::time_point stall_deadline() const;
  /// Executor, after deactivating and the heavy barrier: true if messages came, or some wait behind a stall.
  [[nodiscard]] bool has_work() noexcept { return bounds().pushed() != bounds().finished(); }

  [[nodiscard]] bus_core& core() noexcept { return *core_; }
  [[nodiscard]] topic_core& of_topic() noexcept { return topic_; }
  [[nodiscard]] executor_core& executor() noexcept { return *executor_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] subscription_counters counters() noexcept;

  /// Producer: `count` messages passed by because of the overflow rule.
  void count_dropped(std::uint64_t count) noexcept { dropped_.fetch_add(count, std::memory_order_relaxed); }
  /// Handler's publish: the outlet keeps a message for the one that runs. Returns: false at held_max.
  [[nodiscard]] bool add_held(const std::shared_ptr<outlet_base>& at);
  /// The outlet placed or gave up `count` held messages of this mailbox.
  void release_held(std::size_t count) noexcept { held_.fetch_sub(count, std::memory_order_relaxed); }
  [[nodiscard]] detail::source& own_source() noexcept { return source_; }

 protected:
  /// Destroys the callable; outside the run lock, since its destructor may do anything.
  virtual void destroy_handler() noexcept = 0;
  /// Counts and destroys everything still queued. Under the run lock.
  virtual void discard_queue() noexcept = 0;
  /// Tries to place what handlers held back. Returns: true if nothing is held any more.
  bool settle();
  void count_failed(const char* what) noexcept;
  /// Tells what producers dropped, at most once per second unless `now_due`. Here and not in the producer: a callback
  /// must not run inside a publish.
  void report_dropped(bool now_due) noexcept;
  void count_handled(std::uint64_t count) noexcept {
    handled_.store(handled_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void count_unsubscribed(std::uint64_t count) noexcept { unsubscribed_.fetch_add(count, std::memory_order_relaxed); }
  /// After the frame is gone: ends what ended itself while its handler ran.
  void finish_own_end() noexcept;

  std::mutex run_mutex_;      // held while handlers run: end() waits on it
  bool has_pending_ = false;  // run lock: messages taken but not handled
  std::atomic<bool> ended_{false};

 private:
  [[nodiscard]] bool on_this_stack() const noexcept;
  void wait_until_not_running();

  const std::shared_ptr<bus_core> core_;
  topic_core& topic_;
  const std::shared_ptr<executor_core> executor_;
  const std::string name_;
  detail::source source_;
  std::vector<std::shared_ptr<outlet_base>> held_at_;
  std::atomic<std::size_t> held_{0};
  std::atomic<std::uint64_t> handled_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> unsubscribed_{0};
  std::uint64_t dropped_reported_ = 0;   // run lock
  base::time_point next_drop_report_{};  // run lock
};

/// A callable of either handler form behind one virtual call per message (measured: no slower than one per batch).
template <class T>
class handler_base {
 public:
  virtual ~handler_base() = default;
  virtual void invoke(const T& message, const context& with) = 0;
};

template <class T, class Callable>
class handler final : public handler_base<T> {
 public:
  explicit handler(Callable&& callable) : callable_(std::move(callable)) {}
  void invoke(const T& message, [[maybe_unused]] const context& with) override {
    if constexpr (std::is_invocable_v<Callable&, const T&>) {
      callable_(message);
    } else {
      callable_(message, with);
    }
  }

 private:
  Callable callable_;
};

template <class T>
class mailbox final : public mailbox_base, public queue::inbox<slot<T>> {
 public:
  mailbox(std::shared_ptr<bus_core> core, topic_core& of, std::shared_ptr<executor_core> on, std::string name,
          std::int64_t capacity, queue::overflow_rule overflow, std::unique_ptr<handler_base<T>> handler)
      : mailbox_base(std::move(core), of, std::move(on), std::move(name)),
        queue::inbox<slot<T>>(capacity, overflow),
        return_every_(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(capacity) / 16)),
        handler_(std::move(handler)) {}
  ~mailbox() override { discard_queue(); }

  [[nodiscard]] queue::inbox_base& bounds() noexcept override { return *this; }

  std::size_t run() noexcept override {
    std::size_t handled = 0;
    {
      const std::lock_guard lock(run_mutex_);
      if (stalled() && !settle_running()) return 0;
      if (ended()) return 0;
      slot_array<slot<T>, batch_max> batch;
      const std::size_t count = take(batch.data());
      if (count == 0) {
        this->credit().notify_if_waiting();
        return 0;
      }
      handled = handle(batch.data(), count);
      report_dropped(false);
    }
    if (ended()) finish_own_end();
    return handled;
  }

 protected:
  void activated() noexcept override { executor().ready(shared_from_this()); }
  void destroy_handler() noexcept override {
    std::unique_ptr<handler_base<T>> dying;
    {
      const std::lock_guard lock(run_mutex_);
      dying = std::move(handler_);
    }
  }

  void discard_queue() noexcept override {
    slot_array<slot<T>, batch_max> batch;
    while (const std::size_t count = take(batch.data())) {
      for (std::size_t i = 0; i != count; ++i) batch.data()[i].drop();
      count_unsubscribed(count);
      this->finish(count);
    }
  }

 private:
  /// What waited behind a stall first, then the queue.
  std::size_t take(slot<T>* out) noexcept {
    if (!has_pending_) return this->pop(out, batch_max);
    const std::size_t count = pending_.size();
    std::copy(pending_.begin(), pending_.end(), out);
    pending_.clear();
    has_pending_ = false;
    return count;
  }

  std::size_t handle(slot<T>* batch, std::size_t count) noexcept {
    frame here(core(), *this);
    const context with(here);
    std::size_t done = 0;
    std::size_t returned = 0;
    bool waits = false;
    while (done != count && !waits && !ended()) {
      slot<T>& current = batch[done];
      here.message = current.identity;
      invoke(current.value(), with);
      current.drop();
      ++done;
      waits = stalled() && !settle();
      if (done - returned >= return_every_ && !waits) {
        this->finish(done - returned);
        returned = done;
      }
    }
    count_handled(done);
    put_back(batch + done, count - done);
    // A message whose publishes wait for room is not finished: it keeps its place, and drain() waits for it.
    running_ = waits ? 1 : 0;
    this->finish(done - returned - running_);
    return done;
  }

  void invoke(const T& message, const context& with) noexcept {
    try {
      handler_->invoke(message, with);
    } catch (const std::exception& failure) {
      count_failed(failure.what());
    } catch (...) {
      count_failed("an exception that is not a std::exception");
    }
  }

  void put_back(const slot<T>* rest, std::size_t count) {
    if (count == 0) return;
    pending_.assign(rest, rest + count);
    has_pending_ = true;
  }

  bool settle_running() {
    if (!settle()) return false;
    this->finish(std::exchange(running_, 0));
    return true;
  }

  const std::uint64_t return_every_;
  std::unique_ptr<handler_base<T>> handler_;
  std::vector<slot<T>> pending_;
  std::uint64_t running_ = 0;  // 1 while the message that was handled last holds publishes back
};

}  // namespace amphibus::detail
