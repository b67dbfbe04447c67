#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <amphibus/base/least.hpp>
#include <amphibus/context.hpp>
#include <amphibus/counters.hpp>
#include <amphibus/detail/executor_core.hpp>
#include <amphibus/detail/handler.hpp>
#include <amphibus/detail/lane.hpp>
#include <amphibus/detail/loss_book.hpp>
#include <amphibus/detail/subscriber.hpp>
#include <amphibus/queue/inbox.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class bus_core;
class outlet_base;
class topic_core;

/// A subscription with an inbox, without the type of its slots: whether it ended, what its handler holds back.
///
/// Thread: the running executor calls run(); end() from anywhere.
class mailbox_base : public subscriber_base {
 public:
  /// How many messages are taken at once; also how long an ended subscription may look busy: never longer than a
  /// handler.
  static constexpr std::size_t batch_max = 256;

  mailbox_base(std::shared_ptr<bus_core> core, interest to, std::shared_ptr<executor_core> on, std::string name);
  ~mailbox_base() override;

  /// Handles up to batch_max messages. Returns: how many.
  virtual std::size_t run() noexcept = 0;
  [[nodiscard]] virtual queue::inbox_base& bounds() noexcept = 0;

  void end() override;
  /// True while a handler's publishes wait for room: no further message is taken.
  [[nodiscard]] virtual bool stalled() noexcept { return lane_.stalled(); }
  [[nodiscard]] virtual base::time_point stall_deadline() const { return lane_.stall_deadline(); }
  /// True if its executor is still needed after its end: something accepted waits for room.
  [[nodiscard]] virtual bool holds_back() noexcept { return lane_.stalled(); }
  /// Executor, after deactivating and the heavy barrier: true if messages came, or some wait behind a stall.
  [[nodiscard]] virtual bool has_work() noexcept { return bounds().pushed() != bounds().finished(); }

  [[nodiscard]] queue::inbox_base* waiting_room() noexcept override { return &bounds(); }
  [[nodiscard]] executor_core& executor() noexcept { return *executor_; }
  /// In a pool. Before anybody publishes.
  void set_priority(std::size_t priority) noexcept { priority_ = static_cast<std::uint8_t>(priority); }
  [[nodiscard]] std::size_t priority() const noexcept { return priority_; }
  /// If a thread is there for it alone, it ends.
  virtual void release_thread() noexcept;
  [[nodiscard]] const std::shared_ptr<executor_core>& shared_executor() const noexcept { return executor_; }
  [[nodiscard]] subscription_counters counters() noexcept override;
  [[nodiscard]] std::shared_ptr<mailbox_base> shared_mailbox();

  /// What it does not take. Before anybody publishes.
  void set_filter(std::unique_ptr<message_filter> filter) noexcept {
    filter_ = std::move(filter);
    filters_ = filter_ != nullptr;
  }
  [[nodiscard]] bool filters() const noexcept { return filters_; }
  /// Producer, inside its gate.
  [[nodiscard]] bool wants_message(const void* message) noexcept;
  /// Producer: an accepted message was not for this subscription.
  void count_filtered() noexcept { filtered_.fetch_add(1, std::memory_order_relaxed); }

  /// Producer: `message` passed by; the next one of its source tells, also what this one would have told.
  void pass_by(queue::sender_state& by, identity_word message);
  /// The same, because the memory of the bus is full.
  void pass_by_for_memory(queue::sender_state& by, identity_word message) {
    pass_by(by, message);
    without_memory_.store(true, std::memory_order_relaxed);
  }
  /// Producer: a message gave way to a newer one of its key.
  void count_replaced_by_key() noexcept { replaced_by_key_.fetch_add(1, std::memory_order_relaxed); }

 protected:
  /// Destroys the callable; outside the run lock, since its destructor may do anything.
  virtual void destroy_handler() noexcept = 0;
  /// Counts and destroys everything still queued. Under the run lock.
  virtual void discard_queue() noexcept = 0;
  [[nodiscard]] lane& own_lane() noexcept { return lane_; }
  /// Tells what producers dropped, at most once per second unless `now_due`. Here and not in the producer: a callback
  /// must not run inside a publish.
  void report_dropped(bool now_due) noexcept;
  void tell_work_ended() noexcept;
  /// Messages that passed by or were thrown out, because of the overflow rule.
  [[nodiscard]] std::uint64_t dropped() noexcept;
  /// The same for what expired.
  void report_expired(bool now_due) noexcept;
  /// True if the deadline of the message has passed.
  [[nodiscard]] bool has_expired(identity_word message) noexcept;
  void count_handled(std::uint64_t count) noexcept {
    handled_.store(handled_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t handled_count() const noexcept { return handled_.load(std::memory_order_relaxed); }
  void count_unsubscribed(std::uint64_t count) noexcept { unsubscribed_.fetch_add(count, std::memory_order_relaxed); }
  /// So that nobody pushes any more.
  virtual void leave_topics();
  /// After the frame is gone: ends what ended itself while its handler ran.
  void finish_own_end() noexcept;

  mutable base::small_mutex run_mutex_;  // held while handlers run: end() waits on it
  bool has_pending_ = false;             // run lock: messages taken but not handled, or from before the queue

 private:
  void wait_until_not_running();

  bool filters_ = false;
  std::atomic<bool> without_memory_{false};  // since the last report
  std::uint8_t priority_ = 0;
  const std::shared_ptr<executor_core> executor_;
  std::unique_ptr<message_filter> filter_;
  std::atomic<std::uint64_t> filtered_{0};
  std::atomic<std::uint64_t> filter_failed_{0};  // since the last report
  lane lane_{*this};
  std::atomic<std::uint64_t> handled_{0};
  std::atomic<std::uint64_t> passed_by_{0};
  std::atomic<std::uint64_t> replaced_by_key_{0};
  std::atomic<std::uint64_t> unsubscribed_{0};
  std::uint64_t dropped_reported_ = 0;     // run lock
  base::time_point next_drop_report_{};    // run lock
  std::uint64_t expired_reported_ = 0;     // run lock
  base::time_point next_expiry_report_{};  // run lock
};

/// A mailbox whose slots may be taken out by others than its executor, without their type: the inbox of a group.
class slot_mailbox : public mailbox_base {
 public:
  using mailbox_base::mailbox_base;

  [[nodiscard]] virtual std::size_t slot_size() const noexcept = 0;
  /// Moves up to `max` slots to `out`, aligned for a std::uint64_t. Returns: how many. Under consumer_lock().
  virtual std::size_t take_slots(std::byte* out, std::size_t max) noexcept = 0;
  /// A message that was published before it subscribed: comes before all that are pushed, and needs no room. Under
  /// consumer_lock(). Takes over its references.
  virtual void add_from_before(const any_slot& message) = 0;
  /// Its handler, for who handles instead. Before anybody publishes.
  [[nodiscard]] virtual std::unique_ptr<message_handler> release_handler() noexcept = 0;

  [[nodiscard]] base::small_mutex& consumer_lock() noexcept { return run_mutex_; }
  /// Tells what producers dropped, now and then. Under consumer_lock().
  void tell_dropped() noexcept { report_dropped(false); }
  /// `count` messages that were taken found nobody.
  void count_left(std::uint64_t count) noexcept { count_unsubscribed(count); }
};

/// How much a mailbox takes.
struct inbox_bounds {
  std::int64_t capacity;
  queue::overflow_rule overflow;
  std::int64_t bytes_per_place = queue::inbox_base::any_size;
};

/// A subscription with an inbox of `Slot`: slot<T> for a topic, any_slot for a pattern.
template <class Slot>
class mailbox : public slot_mailbox, public queue::inbox<Slot> {
 public:
  mailbox(std::shared_ptr<bus_core> core, interest to, std::shared_ptr<executor_core> on, std::string name,
          const inbox_bounds& bounds, std::unique_ptr<message_handler> handler,
          delivery_kind kind = std::is_same_v<Slot, any_slot> ? delivery_kind::queued_any : delivery_kind::queued)
      : slot_mailbox(std::move(core), std::move(to), std::move(on), std::move(name)),
        queue::inbox<Slot>(bounds.capacity, bounds.overflow, bounds.bytes_per_place),
        kind_(kind),
        takes_batches_(handler->takes_batches()),
        thrown_out_at_once_(
            static_cast<std::uint16_t>(base::between<std::int64_t>(1, bounds.capacity / 128, thrown_out_max))),
        return_every_(
            static_cast<std::int32_t>(base::between<std::int64_t>(1, bounds.capacity / 16, return_every_max))),
        handler_(std::move(handler)) {
    const bool latest = bounds.overflow.kind == queue::overflow_kind::latest;
    if (latest || bounds.overflow.kind == queue::overflow_kind::drop_oldest) {
      losses_ = loss_book::make(this->core(), sizeof(Slot), latest ? static_cast<std::size_t>(bounds.capacity) : 0);
    }
  }
  ~mailbox() override { discard_queue(); }

  [[nodiscard]] queue::inbox_base& bounds() noexcept override { return *this; }
  [[nodiscard]] delivery_kind kind() const noexcept override { return kind_; }

  /// Producer, inside its gate, without room here and with nothing to refuse. Returns: true if `by` may push, or
  /// keep_latest(); false: counted, the message passes by.
  bool make_room(queue::sender<Slot>& by, identity_word message, std::int64_t places) noexcept {
    if (keeps_latest()) return true;
    slot_array<Slot, thrown_out_max> oldest;
    while (const std::size_t count = losses_ ? by.take_back_oldest(oldest.data(), thrown_out_at_once_) : 0) {
      throw_out({oldest.data(), count});
      if (by.has_room(places)) return true;
    }
    by.return_credit();  // too little for it, and nobody reclaims from an inbox that never refuses
    return pass_by(by, message), false;
  }
  /// The same for one that it reaches together with others; the message passes by in take_lent().
  void make_room(queue::multicast_sender<Slot>& by) noexcept { by.make_room(thrown_out_at_once_, thrower()); }
  void take_lent(queue::multicast_sender<Slot>& by) noexcept { by.take_lent(thrower()); }
  /// Producer: tells of losses, source by source, and drops the messages.
  void throw_out(queue::slot_run<Slot> oldest) noexcept {
    [[maybe_unused]] queue::returning_blocks gone;
    while (oldest) {
      std::size_t left = of_one_publisher(oldest);
      losses_->add_thrown_out(topic_of(oldest[0]), oldest.identity(left - 1), left);
      while (left != 0) {
        auto now = oldest.take_sequence();
        const identity_word first = now.identity;
        left -= now.count;
        if constexpr (Slot::owns_payload) {  // else a loop that does nothing remains
          for (; now; now.drop_first()) Slot::drop_payload(now.payload(), gone);
        }
        first.drop_reference();
      }
    }
  }
  /// The message is done with, and with it its places.
  void finish_one(const Slot& message) noexcept {
    const queue::load one{1, this->places_of(message)};
    message.drop();
    this->finish(one);
  }
  /// Producer: puts `message` where its key has its place.
  void keep_latest(queue::sender<Slot>& by, const Slot& message) noexcept {
    Slot old;
    by.count_pushed();
    switch (losses_->put(topic_of(message), message.identity, value_in(message), &message, &old)) {
      case loss_book::put_result::added: return;
      case loss_book::put_result::replaced:
        losses_->add_replaced(topic_of(old), old.identity);
        old.drop();
        count_replaced_by_key();
        return this->count_replaced();
      case loss_book::put_result::full:
        pass_by(by, message.identity);
        message.drop();
        return this->count_replaced();
    }
  }

  std::size_t take_slots(std::byte* out, std::size_t max) noexcept override {
    if (ended()) return 0;
    return take(reinterpret_cast<Slot*>(out), max);
  }
  void add_from_before(const any_slot& message) override {
    pending_.push_back(Slot::of(message));
    has_pending_ = true;
    this->count_unqueued(this->places_of(pending_.back()));
  }
  [[nodiscard]] std::size_t slot_size() const noexcept override { return sizeof(Slot); }
  [[nodiscard]] std::unique_ptr<message_handler> release_handler() noexcept override { return std::move(handler_); }

  std::size_t run() noexcept override {
    std::size_t handled = 0;
    {
      const std::lock_guard lock(run_mutex_);
      if ((own_lane().stalled() || running_.messages != 0) && !settle_running()) return 0;
      if (ended()) return 0;
      handled = handle_waiting();
      if (handled == 0) {
        this->credit().notify_if_waiting();
        return 0;
      }
      report_dropped(false);
    }
    if (ended()) finish_own_end();
    return handled;
  }

 protected:
  void activated() noexcept override { executor().ready(shared_mailbox()); }
  void destroy_handler() noexcept override {
    std::unique_ptr<message_handler> dying;
    {
      const std::lock_guard lock(run_mutex_);
      dying = std::move(handler_);
    }
  }

  void discard_queue() noexcept final {
    slot_array<Slot, batch_max> batch;
    while (const std::size_t count = take(batch.data(), batch_max)) {
      count_unsubscribed(count);
      for (std::size_t i = 0; i != count; ++i) finish_one(batch.data()[i]);
    }
  }

  /// Without handling them: they are finished when they are done with. Under the run lock.
  std::size_t take_for_pulling(Slot* out, std::size_t max) noexcept {
    const std::size_t count = take(out, max);
    tell_losses(out, count);
    if (count == 0) this->credit().notify_if_waiting();
    report_dropped(false);
    return count;
  }
  [[nodiscard]] bool is_expired(identity_word message) noexcept { return !message.is_packed() && has_expired(message); }

 private:
  /// What waits from before first, then everything else.
  std::size_t take(Slot* out, std::size_t max) noexcept {
    if (!has_pending_) return keeps_latest() ? take_latest(out, max) : this->pop(out, max);
    const std::size_t count = base::least(max, pending_.size() - pending_at_);
    base::copy_some(pending_.data() + pending_at_, count, out);
    pending_at_ += count;
    has_pending_ = pending_at_ != pending_.size();
    if (!has_pending_ && pending_.size() > batch_max) std::vector<Slot>().swap(pending_);  // was a history
    return count;
  }

  std::size_t take_in_turn(Slot* out, std::size_t max) noexcept { return this->pop_readers(out, max, true); }
  std::size_t take_queued(Slot* out, std::size_t max) noexcept { return this->pop_queue(out, max); }

  [[nodiscard]] bool keeps_latest() const noexcept { return losses_ && losses_->keeps_latest(); }

  std::size_t take_latest(Slot* out, std::size_t max) noexcept {
    std::array<std::uint64_t, batch_max> replaced;
    const std::size_t count = losses_->take(out, replaced.data(), max);
    for (std::size_t i = 0; i != count; ++i)
      out[i].identity = losses_->told(out[i].identity, topic_of(out[i]), replaced[i]);
    return count;
  }

  [[nodiscard]] static const void* value_in(const Slot& message) noexcept {
    if constexpr (std::is_same_v<Slot, any_slot>) {
      return message.value();
    } else {
      return &message.value();
    }
  }

  [[nodiscard]] topic_core* topic_of([[maybe_unused]] const Slot& message) const noexcept {
    if constexpr (std::is_same_v<Slot, any_slot>) {
      return message.topic;
    } else {
      return wants().topic;
    }
  }

  void tell_losses(Slot* batch, std::size_t count) noexcept {
    if (!losses_ || !losses_->any()) return;
    for (std::size_t i = 0; i != count; ++i)
      batch[i].identity = losses_->told(batch[i].identity, topic_of(batch[i]), 0);
  }

  /// Up to batch_max messages: what was put back or comes from before, else from the queue and where they lie in the
  /// multicasts. What producers may throw out is copied out of there.
  std::size_t handle_waiting() noexcept {
    if (has_pending_ || losses_) return handle_copies(batch_max, &mailbox::take);
    if (takes_batches_) return handle_batches();
    if (!this->uses_queue()) return handle_in_place(batch_max, 1);
    const bool queue_first = this->queue_has_turn();
    std::size_t handled = queue_first ? handle_copies(batch_max, &mailbox::take_queued) : 0;
    if (stops()) return handled;
    handled += handle_in_place(batch_max - handled, 1);
    if (queue_first || stops()) return handled;
    return handled + handle_copies(batch_max - handled, &mailbox::take_queued);
  }
  std::size_t handle_copies(std::size_t max, std::size_t (mailbox::*take_some)(Slot*, std::size_t) noexcept) noexcept {
    slot_array<Slot, batch_max> batch;
    const std::size_t count = (this->*take_some)(batch.data(), max);
    tell_losses(batch.data(), count);
    queue::slot_run<Slot> waiting(batch.data(), count);
    const std::size_t handled = handle(waiting);
    put_back(batch.data() + handled, count - handled);
    return handled;
  }
  /// Where many lie together, there; the rest together in a copy: at the end of a block, and of publishers that say
  /// little, batches would be short ones. Both begin with the publisher whose turn it is, so nobody is passed over.
  std::size_t handle_batches() noexcept {
    if (this->uses_queue()) return handle_copies(batch_max, &mailbox::take);
    const std::size_t handled = handle_in_place(batch_max, gathered_below);
    if (handled == batch_max || stops()) return handled;
    return handled + handle_copies(batch_max - handled, &mailbox::take_in_turn);
  }
  /// Stops before the first of which fewer than `least` lie together.
  std::size_t handle_in_place(std::size_t max, std::size_t least) noexcept {
    std::size_t handled = 0;
    this->for_each_reader([&](queue::multicast_reader<Slot>& from) {
      if (!from.look()) return true;
      while (queue::slot_run<Slot> run = from.next(max - handled)) {
        if (run.count < least) return false;
        const std::size_t done = handle(run);
        from.advance(done);
        handled += done;
        if (run || stops()) return false;
      }
      return handled != max;
    });
    return handled;
  }
  [[nodiscard]] auto thrower() noexcept {
    return [this](const queue::slot_run<Slot>& oldest) { throw_out(oldest); };
  }
  /// How many from the first on are of one publisher, whose identities are packed: then the last one stands for all.
  [[nodiscard]] std::size_t of_one_publisher(const queue::slot_run<Slot>& in) const noexcept {
    if (is_in_sequence(in)) return in.count;
    const identity_word first = in.identity(0);
    std::size_t run = 1;
    const auto same = [&](std::size_t which) {
      const identity_word next = in.identity(which);
      return first.is_packed() && next.is_packed() && next.source() == first.source() &&
             topic_of(in[which]) == topic_of(in[0]);
    };
    while (run != in.count && same(run)) ++run;
    return run;
  }
  [[nodiscard]] bool stops() noexcept { return running_.messages != 0 || own_lane().stalled() || ended(); }

  /// Takes what it handled off `waiting`. Returns: how many; fewer than all if the next one waits or the subscription
  /// ended.
  std::size_t handle(queue::slot_run<Slot>& waiting) noexcept {
    if (!waiting) return 0;
    frame here(core(), *this, &own_lane(), wants().topic);
    const context with(core(), here.topic, here.message);
    std::size_t done = 0;
    std::size_t expired = 0;
    std::size_t counted = 0;
    queue::load finished;
    // Counted first: who drains reads the counters then.
    const auto finish_them = [&] {
      count_handled(done - expired - std::exchange(counted, done - expired));
      this->finish(std::exchange(finished, {}));
    };
    while (waiting && running_.messages == 0 && !ended()) {
      std::size_t some = handle_singly(waiting, here, with, finished);
      if (some == 0) {
        if (is_expired(waiting.identity(0))) {
          finished.add(this->places_of(waiting[0]));
          waiting[0].drop();
          ++expired;
          some = 1;
        } else {
          some = handle_together(waiting, here, with, finished);
        }
      }
      done += some;
      waiting.drop_front(some);
      if (finished.places >= return_every_) finish_them();
    }
    if (expired != 0) [[unlikely]]
      count_expired(expired);
    finish_them();
    return done;
  }
  /// What is done when a handler returns, or, where its publishes wait for room, later: such messages keep their
  /// places, and drain() waits for them.
  void settle_handled(const queue::load& last, frame& here, queue::load& finished) noexcept {
    topic_core* const about = std::exchange(here.topic, nullptr);  // the message is gone: it causes nothing any more
    (own_lane().stalled() && !own_lane().settle() ? running_ : finished).add(last);
    here.topic = about;
  }
  /// One after the other as far as they are ordinary. Returns: how many; none if the first has a deadline.
  std::size_t handle_singly(const queue::slot_run<Slot>& waiting, frame& here, const context& with,
                            queue::load& finished) noexcept {
    if (takes_batches_) return 0;
    std::int64_t last_places = 1;
    std::size_t most = 1;
    if constexpr (weighs) {
      last_places = this->places_of(waiting[0]);  // only before it is gone
    } else {
      most = base::least(waiting.count, static_cast<std::size_t>(return_every_));
    }
    std::size_t left = most;
    const auto drop_failed = [&] { waiting[most - left--].drop(); };
    try {
      handler_->invoke_each(&waiting, left, here, with, own_lane().stop());
    } catch (const std::exception& failure) {
      count_failed(failure.what());
      drop_failed();
    } catch (...) {
      count_failed(unknown_exception);
      drop_failed();
    }
    const std::size_t done = most - left;
    if (done == 0) return 0;
    finished.add(queue::load::of_small(done - 1));
    settle_handled({1, last_places}, here, finished);
    return done;
  }
  /// The first, or as many of a batch as have not expired.
  std::size_t handle_together(const queue::slot_run<Slot>& waiting, frame& here, const context& with,
                              queue::load& finished) noexcept {
    queue::slot_run<Slot> now = waiting;
    now.count = takes_batches_ ? run_at(waiting) : 1;
    here.message = now.identity(0);
    here.topic = topic_of(now[0]);
    invoke(now, here, with);
    auto handled = queue::load::of_small(now.count);
    if constexpr (weighs) {
      handled.places = 0;
      for (std::size_t i = 0; i != now.count; ++i) handled.places += this->places_of(now[i]);
    }
    if constexpr (Slot::owns_payload) {
      queue::returning_blocks done_with;
      for (std::size_t i = 0; i != now.count; ++i) now[i].drop_payload(done_with);
    }
    if (!is_in_sequence(now)) {
      for (std::size_t i = 0; i != now.count; ++i) now.identity(i).drop_reference();
    }
    settle_handled(handled, here, finished);
    return now.count;
  }
  /// Whose identities are packed, then: they refer to nothing, and no message expires.
  [[nodiscard]] static bool is_in_sequence([[maybe_unused]] const queue::slot_run<Slot>& of) noexcept {
    if constexpr (queue::identified<Slot>) {
      return of.in_sequence();
    } else {
      return false;
    }
  }

  /// How many from the first on are to be handled together: up to one that has expired.
  [[nodiscard]] std::size_t run_at(const queue::slot_run<Slot>& waiting) noexcept {
    if (is_in_sequence(waiting)) return waiting.count;
    std::size_t run = 1;
    while (run != waiting.count && !is_expired(waiting.identity(run))) ++run;
    return run;
  }

  /// All of them, or the only one.
  void invoke(const queue::slot_run<Slot>& messages, frame& here, const context& with) noexcept {
    try {
      if (takes_batches_) return handler_->invoke_batch(&messages, here);
      const Slot only = messages[0];
      handler_->invoke(&only, 1, here, with);
    } catch (const std::exception& failure) {
      count_failed(failure.what());
    } catch (...) {
      count_failed(unknown_exception);
    }
  }

  void put_back(const Slot* rest, std::size_t count) {
    if (count == 0) return;
    if (has_pending_) {  // then it came from there
      pending_at_ -= count;
      base::copy_some(rest, count, pending_.data() + pending_at_);
      return;
    }
    pending_.assign(rest, rest + count);
    pending_at_ = 0;
    has_pending_ = true;
  }

  bool settle_running() {
    if (!own_lane().settle()) return false;
    this->finish(std::exchange(running_, {}));
    return true;
  }

  static constexpr bool weighs = requires(const Slot& message) { message.weighed_bytes(); };
  static constexpr const char* unknown_exception = "an exception that is not a std::exception";

  static constexpr std::size_t gathered_below = batch_max / 4;
  static constexpr std::size_t thrown_out_max = queue::large_block;
  static constexpr std::int64_t return_every_max = 1 << 20;

  const delivery_kind kind_;
  const bool takes_batches_;
  const std::uint16_t thrown_out_at_once_;
  const std::int32_t return_every_;  // places
  std::unique_ptr<message_handler> handler_;
  std::shared_ptr<loss_book> losses_;  // with overflow drop_oldest and latest
  std::vector<Slot> pending_;          // from pending_at_ on; guarded by the run lock
  std::size_t pending_at_ = 0;         // meaningful while has_pending_
  queue::load running_;                // messages of the last call whose publishes are held back
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
