#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/base/fork_word.hpp>
#include <amphibus/detail/outlet_base.hpp>
#include <amphibus/detail/topic_core.hpp>
#include <amphibus/pool.hpp>
#include <amphibus/reports.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class ending_handlers;
class group_member;
struct group_terms;
class slot_mailbox;
class timer_desk;

/// What std::function would be; <functional> alone is a tenth of the header budget.
template <class Argument>
class callback {
 public:
  virtual ~callback() = default;
  virtual void call(Argument with) = 0;
};

template <class Argument, class Callable>
class callback_to final : public callback<Argument> {
 public:
  explicit callback_to(Callable&& callable) : callable_(std::move(callable)) {}
  void call(Argument with) override { callable_(with); }

 private:
  Callable callable_;
};

/// A topic as another process announced it.
struct remote_topic {
  std::string_view name;
  std::string_view type_name;  ///< of its codec
  std::uint16_t major;
};

/// Joins a bus to its transports; src/placement.cpp has the one that exists.
class remote_links {
 public:
  virtual ~remote_links() = default;
  /// Gives the topic its route. Throws missing_codec where the route leaves the process and the type cannot.
  virtual void place(topic_core& created) = 0;
  /// What a topic of that name retains, where its constant asks for `asked`. Throws unsupported_retention where its
  /// route leaves the process.
  [[nodiscard]] virtual queue::retain_rule retained(std::string_view topic, const queue::retain_rule& asked) const = 0;
  virtual void topics_changed() noexcept = 0;
  virtual void collect(std::vector<std::pair<std::string, std::shared_ptr<queue::inbox_base>>>& egresses) const = 0;
  /// Confirms what is subscribed here and waits for the others. Returns: what prevents it.
  virtual std::optional<error> wait_until_ready(base::time_point deadline) = 0;
  [[nodiscard]] virtual wire_counters bytes() const noexcept = 0;
  /// Goodbye to the peers. Returns: who did not confirm.
  virtual std::vector<std::string> close(base::time_point deadline) = 0;
};

/// Everything a bus is, shared by its handles: topics, executors, identities, state.
///
/// Thread: safe. Lifetime: until the last bus, publisher or subscription handle is gone.
class bus_core : public std::enable_shared_from_this<bus_core> {
 public:
  enum class phase : std::uint8_t { open, closing, closed };

  /// `memory_max`: bytes that all its messages may take.
  bus_core(base::clock& time, std::string name, std::int64_t memory_max);
  bus_core(const bus_core&) = delete;
  bus_core& operator=(const bus_core&) = delete;
  ~bus_core();

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] std::uint64_t incarnation() const noexcept { return incarnation_; }
  [[nodiscard]] base::clock& clock() const noexcept { return clock_; }
  [[nodiscard]] const std::shared_ptr<queue::byte_budget>& budget() const noexcept { return budget_; }
  [[nodiscard]] const std::atomic<std::uint64_t>& version() const noexcept { return *version_; }
  /// Makes every publisher read its table again. Call after the change.
  void bump_version() noexcept { (*version_).fetch_add(1, std::memory_order_release); }
  [[nodiscard]] phase current_phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  [[nodiscard]] bool in_child_of_fork() const noexcept { return version_.in_child_of_fork(); }

  /// The topic of that name, made at its first use. Throws topic_type_conflict, topic_key_conflict or
  /// topic_retain_conflict naming both, missing_codec or unsupported_retention.
  topic_core& find_topic(std::string_view name, const type_operations& type, const topic_traits& traits);
  /// The topic if it exists. Stable for the life of the bus.
  [[nodiscard]] topic_core* find_topic(std::string_view name) const;
  [[nodiscard]] std::vector<topic_core*> all_topics() const;
  /// The same without those that only offer_topic() made: nobody in this process names them.
  [[nodiscard]] std::vector<topic_core*> named_topics() const;
  /// What is subscribed by pattern, now.
  [[nodiscard]] std::vector<interest> all_patterns() const;
  /// Another process has this topic: makes it here if a pattern covers it and its type is known, and tells patterns of
  /// another type. Beyond 20,000 of them that nobody here names, further ones are passed over, told once.
  void offer_topic(const remote_topic& of);

  std::shared_ptr<executor_core> serial_executor();
  /// Serial handlers run there. Before the first subscription.
  void set_serial_executor(std::shared_ptr<executor_core> given);
  /// The pool of that name, until close; its options are checked.
  std::shared_ptr<executor_core> find_pool(std::string name, const pool_options& options);
  /// A thread of its own: for a module, until close.
  std::shared_ptr<executor_core> start_executor(std::string name);
  /// A thread of its own: for one subscription, until it ends.
  std::shared_ptr<executor_core> start_dedicated(std::string name);
  void subscribe(const std::shared_ptr<subscriber_base>& who);
  /// `fresh` is the inbox of a new group, or, where there is one of that name already, only brings its handler. `on`:
  /// for each of the handlers that may run at once; `own_threads`: they run nothing else. Throws: bad_option where the
  /// members disagree.
  std::shared_ptr<subscriber_base> join_group(std::shared_ptr<slot_mailbox> fresh, std::string name,
                                              const std::vector<std::shared_ptr<executor_core>>& on, bool own_threads);
  /// Returns: true if it was the last one.
  [[nodiscard]] bool leave_group(group_member& who);
  /// A group that has a name, and what it is of.
  struct named_group {
    interest of;
    std::string name;
  };
  [[nodiscard]] std::vector<named_group> all_groups() const;
  /// Takes `who` out of its topics; afterwards nobody pushes to it any more.
  void remove(subscriber_base& who);
  /// Ends the thread if `which` is a dedicated one; its only subscription ended.
  void release_dedicated(executor_core& which) noexcept;

  [[nodiscard]] std::uint64_t new_source_index() noexcept {
    return next_source_.fetch_add(1, std::memory_order_relaxed);
  }
  /// A small index that stands for a remote source in packed identities; 0 if there is none left.
  [[nodiscard]] std::uint64_t alias_of(const source_id& remote);
  /// The id alone, for less than the envelope.
  [[nodiscard]] message_id id_of(identity_word identity) const;
  [[nodiscard]] wire::envelope envelope_of(identity_word identity) const;
  /// When a message with so much time left is no longer started.
  [[nodiscard]] base::time_point deadline_of(const wire::envelope& with) const noexcept {
    return with.time_left == base::duration::max() ? base::time_point::max()
                                                   : base::deadline_after(clock_.now(), with.time_left);
  }
  /// True if its deadline has passed.
  [[nodiscard]] bool is_expired(identity_word message) const noexcept {
    const base::time_point deadline = message.deadline();
    return deadline != base::time_point::max() && clock_.now() >= deadline;
  }

  /// The thread's own source on this bus; made at its first use, ends with the thread.
  source& thread_source();
  void retire(const source* of_thread) noexcept;

  void report(const event& what) noexcept;
  void on_event(std::unique_ptr<callback<const event&>> call);
  void on_log(std::unique_ptr<callback<std::string_view>> call);

  /// An executor or I/O thread has nothing left: a drain looks again.
  void work_ended() noexcept;
  void add_held(std::int64_t count) noexcept { held_.fetch_add(count, std::memory_order_seq_cst); }
  /// This thread runs a handler of this bus; handlers of other buses may end this one.
  [[nodiscard]] bool inside_own_handler() const noexcept;
  drain_report drain(base::duration limit);
  close_report close(base::duration limit);

  void set_links(std::shared_ptr<remote_links> links);
  [[nodiscard]] std::shared_ptr<remote_links> links() const;
  /// What crossed the border of the process, also after close().
  [[nodiscard]] wire_counters bytes() const noexcept;

  /// Detects two handlers that end each other's subscriptions, which would wait for ever.
  [[nodiscard]] ending_handlers& ending() noexcept;
  /// Tells whoever waits for a point of time.
  [[nodiscard]] timer_desk& timers() noexcept;

 private:
  struct counted;
  struct own_state;
  [[nodiscard]] std::vector<counted> all_inboxes() const;
  [[nodiscard]] std::vector<std::shared_ptr<subscriber_base>> all_subscribers() const;
  /// `lock`: of topics_mutex_, given back before anything is told. `found`: by offer_topic().
  topic_core& create_topic(std::unique_lock<std::mutex> lock, std::string_view name, const type_operations& type,
                           const topic_traits& traits, bool found);
  /// What a further constant of the topic says. Under topics_mutex_.
  void adopt_traits(topic_core& topic, const topic_traits& traits);
  void tell_too_many_found(const subscriber_base& pattern, std::string_view topic);
  /// Joins topic and pattern if they fit. Under topics_mutex_. Returns: false if only the types differ.
  [[nodiscard]] static bool match(topic_core& topic, const std::shared_ptr<subscriber_base>& pattern);
  void tell_mismatch(subscriber_base& pattern, std::string_view topic, std::string_view type);
  struct known_type {
    const type_operations* type = nullptr;
    const wire::codec_operations* codec = nullptr;
  };
  /// The type that a pattern of `covering` has, or where one takes every type anything on this bus; nulls if nothing
  /// here names it. Under topics_mutex_.
  [[nodiscard]] known_type find_type(const remote_topic& of,
                                     const std::vector<std::shared_ptr<subscriber_base>>& covering) const;
  /// Throws: bad_option where `terms` are not those of the group, bus_closed. Returns: its inbox; null for a new one.
  [[nodiscard]] std::shared_ptr<slot_mailbox> find_group_locked(const slot_mailbox& fresh,
                                                                const group_terms& terms) const;
  /// subscribe() without telling anybody: a topic of another type that a pattern covers, or null.
  const topic_core* subscribe_silently(const std::shared_ptr<subscriber_base>& who);
  const topic_core* add_pattern(const std::shared_ptr<subscriber_base>& who);
  [[nodiscard]] bool quiescent() const;
  [[nodiscard]] std::vector<left_over> left() const;
  drain_report drain_until(base::time_point deadline);
  void enter_phase(phase next);
  void end_everything();

  const std::uint64_t id_;
  const std::uint64_t incarnation_;
  base::clock& clock_;
  const std::shared_ptr<queue::byte_budget> budget_;
  base::fork_word version_;
  std::atomic<phase> phase_{phase::open};
  std::atomic<std::uint64_t> next_source_{1};
  std::atomic<std::int64_t> held_{0};
  const std::shared_ptr<own_state> own_;  // everything that publishing does not touch; owned alone
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
