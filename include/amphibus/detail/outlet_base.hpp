#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <amphibus/base/event.hpp>
#include <amphibus/base/parker.hpp>
#include <amphibus/base/small_mutex.hpp>
#include <amphibus/counters.hpp>
#include <amphibus/publish_options.hpp>
#include <amphibus/detail/envelope_pool.hpp>
#include <amphibus/detail/inline_calls.hpp>
#include <amphibus/detail/mailbox.hpp>
#include <amphibus/detail/message.hpp>
#include <amphibus/detail/shortcut.hpp>
#include <amphibus/detail/topic_core.hpp>
#include <amphibus/detail/writable.hpp>
#include <amphibus/queue/gate.hpp>
#include <amphibus/status.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class history_keeper;
class inline_table;

/// How long one publish may wait; in a handler, how long it may be held with the running message.
struct publish_limits {
  base::duration wait_max = base::duration::max();  ///< upper bound on top of what subscriptions ask; 0: never
};

/// Messages that gave way to others, to be destroyed: mostly one, which allocates nothing. Owns references.
struct gone_messages {
  void add(const any_slot& message) { count++ == 0 ? void(first = message) : more.push_back(message); }
  [[nodiscard]] bool empty() const noexcept { return count == 0; }
  void drop() noexcept;

  any_slot first;
  std::vector<any_slot> more;
  std::size_t count = 0;
};

/// What is left to do when no lock and no gate is held, because it calls user code: a message and the inline
/// subscriptions that wait for it, and what is no longer retained. Owns references.
struct inline_call {
  std::shared_ptr<inline_table> who;
  any_slot message;
  gone_messages gone = {};
  void run() noexcept;
};

/// One message on its way into an outlet.
struct offer {
  void* value = nullptr;                                ///< a T, moved from when the message is accepted
  queue::block_header* loaned = nullptr;                ///< or a value_block<T> that becomes the message
  std::size_t bytes = 0;                                ///< of the message, once it was looked for room
  wire::attributes_view attributes = {};                ///< key and headers
  message_id correlation = {};                          ///< instead of the handler's; none: as usual
  base::time_point deadline = base::time_point::max();  ///< counted from the publish on
  const wire::envelope* from = nullptr;                 ///< from a transport: the identity that it has
  inline_call call = {};  ///< what is left to do when it is accepted and every lock is released
};

/// Who has no room for a message, how much it would take there (places of an inbox, bytes of the memory), and what is
/// to be done about it: the rule of the inbox, or of the strictest receiver where memory is short.
struct refusal {
  queue::bound* by = nullptr;
  std::int64_t places = 0;
  queue::overflow_rule rule = {};
  explicit operator bool() const noexcept { return by != nullptr; }
};

/// The untyped half of (source, topic): the slow path of publishing, in one place and out of the headers.
///
/// Roles: the *owner* (one thread at a time) publishes; while something is held, the executor of the holding handler
/// acts as owner instead, and the publishing thread sees held_ != 0 and goes through the mutex. Thread: owner.
/// Lifetime: shared by its owner and by handlers that hold messages for it.
class outlet_base : public queue::space_listener, public std::enable_shared_from_this<outlet_base> {
 public:
  /// `by`: the source that publishes here and elsewhere; null: one of its own. `remote`: for a transport's input, what
  /// to tell when a refusal is over; local subscriptions only then.
  outlet_base(bus_core& core, topic_core& to, source_state* by = nullptr, queue::space_listener* remote = nullptr);
  outlet_base(const outlet_base&) = delete;
  outlet_base& operator=(const outlet_base&) = delete;
  virtual ~outlet_base();

  [[nodiscard]] const queue::gate& gate() const noexcept { return gate_; }
  /// From here on the source's numbers are its own again. Precondition: its source says that it is in step. Owner.
  void leave_step() noexcept;
  [[nodiscard]] topic_core& to() noexcept { return topic_; }
  [[nodiscard]] topic_counters counters() const noexcept;

  /// Executor: places what handlers hold, oldest first. Returns: true if nothing is held any more.
  bool place_held();
  [[nodiscard]] base::time_point held_deadline() const;
  void space_available() noexcept override;
  /// Calls `call` once after each would_block when there is room again. Owner.
  void on_writable(std::unique_ptr<action> call);
  /// The bus is closed: gives up what is held and lets go of every inbox, whose subscriptions may own this outlet.
  void let_go();

 protected:
  /// Who refuses what is offered, or the oldest held message: the first inbox that may and has no room.
  [[nodiscard]] virtual refusal refusing(offer& what) noexcept = 0;
  [[nodiscard]] virtual refusal refusing_oldest_held() noexcept = 0;
  [[nodiscard]] virtual bool has_receivers() const noexcept = 0;
  /// The rule of the receiver that refuses first; where everybody drops, a message without memory passes all of them
  /// by.
  [[nodiscard]] virtual queue::overflow_rule strictest() const noexcept = 0;
  virtual void pass_offered_by(offer& what, identity_word identity) noexcept = 0;
  virtual void pass_oldest_held_by(identity_word identity) noexcept = 0;
  /// Pushes what is offered everywhere. Inside the gate, after nobody refused.
  virtual void push_offered(offer& what, identity_word identity) noexcept = 0;
  /// Returns: true if what leaves the process by `egress` is pushed with the rest, not by push_any(). Null: nothing
  /// leaves.
  virtual bool adopt_egress(const std::shared_ptr<egress_inbox>& egress) = 0;
  virtual void adopt(const receiver_table& table) = 0;
  virtual void return_credit() noexcept = 0;
  virtual void hold_offered(offer& what) = 0;
  /// Moves the oldest held value out and pushes it; `drop` destroys it instead.
  virtual void push_oldest_held(identity_word identity, inline_call& call) noexcept = 0;
  virtual void drop_oldest_held() noexcept = 0;

  // What is not of the message's type; src/detail/outlet_any.cpp.
  /// In adopt(), where nobody has an inbox of the message's type.
  void note_only_called() noexcept;
  [[nodiscard]] bool has_other_receivers() const noexcept { return any_ || inlines_ || keeper_ != nullptr; }
  [[nodiscard]] refusal refusing_any(std::size_t bytes, const void* message) noexcept;
  [[nodiscard]] bool filters_any() const noexcept;
  void return_any_credit() noexcept;
  [[nodiscard]] queue::overflow_rule strictest_any() const noexcept;
  void pass_any_by(identity_word message) noexcept;
  /// To patterns and the route's queue; for inline subscriptions it notes what is left to do. `borrowed` has no
  /// references.
  void push_any(const any_slot& borrowed, std::size_t bytes, inline_call* call) noexcept;

  /// Adds `options` to the offer; `bytes` keeps key and headers meanwhile. Returns: false if a limit is exceeded.
  [[nodiscard]] bool describe(offer& what, const publish_options& options, wire::byte_writer& bytes);
  /// Where everybody who wants the topic is called with the value. Returns: false if not, and nothing happened.
  ///
  /// Outside the gate: what keeps the handler is that the caller's mark comes before the look at the version, which
  /// whoever takes the handler away moves first.
  [[nodiscard, gnu::always_inline]] bool call_at_once(shortcut::way by, const void* value) noexcept {
    if (!by.calls() || current_frame != nullptr) return false;
    inline_call_entry* const to = by.called();
    const std::uint64_t begun = to->caller.begin();
    base::compiler_barrier();
    if (version_->load(std::memory_order_acquire) != seen_version_ ||  // SYNC(bus.version)
        inline_call_entry::goes_by_number(begun)) [[unlikely]] {
      to->give_up(begun);
      return false;
    }
    to->call(value);  // the handler may destroy this outlet
    to->end(begun);
    return true;
  }
  /// The same where the message's number does not follow from the call before.
  [[nodiscard]] bool call_by_number(shortcut::way by, const void* value) noexcept {
    return by.calls() && current_frame == nullptr && call_numbered(*by.called(), value);
  }
  /// True, and counted, if nobody wants it.
  [[nodiscard]] bool is_unwanted() noexcept;
  /// Everything but the case that fits at once. What is offered is taken only if the answer is accepted.
  publish_status publish_slowly(offer& what, const publish_limits& limits);
  /// From a transport: never waits, never holds; `remote` is told once after would_block.
  publish_status publish_input(offer& what);

  /// Packed where it fits; with correlation and causation of the handler that runs here.
  [[nodiscard]] identity_word next_identity() {
    source_state& by = numbers();
    const bool fast = current_frame == nullptr && by.index() != 0 && by.is_packed();
    return fast ? by.take_packed() : slow_identity();
  }
  /// The source, for who takes a number of it.
  [[nodiscard]] source_state& numbers() noexcept {
    if (outlet_base* const who = source_.in_step()) who->leave_step();
    return source_;
  }
  /// What is published now goes behind something else, or to others.
  void close_shortcuts() noexcept {
    at_once_.lead_nowhere();
    by_number_.lead_nowhere();
  }
  /// Whether, until something of it changes, a publish outside handlers needs no look at what next_identity() and
  /// held_ would tell it, but for the sequence number: see numbers().
  [[nodiscard]] bool may_push_at_once() const noexcept {
    return held_.load(std::memory_order_acquire) == 0 && source_.index() != 0 &&
           base::current_barrier_mode() == base::barrier_mode::membarrier;
  }
  /// The lock against who places what is held; none where nothing is.
  [[nodiscard]] std::unique_lock<std::mutex> while_held() {
    return held_.load(std::memory_order_acquire) == 0 ? std::unique_lock<std::mutex>() : std::unique_lock(slow_mutex_);
  }
  /// A first message of the source that was seen last needs no look-up; everything else does.
  [[nodiscard]] identity_word input_identity(const wire::envelope& with, bool first) {
    const bool known = first && with.id.source == last_remote_ && last_alias_ != 0;
    if (!known || with.id.sequence > identity_word::sequence_max) [[unlikely]]
      return slow_input_identity(with);
    return identity_word::packed(last_alias_, with.id.sequence);
  }
  /// True if nothing but its id need be known of it.
  [[nodiscard]] static bool is_first(const wire::envelope& with) noexcept {
    return with.correlation == with.id && !with.causation && with.lost_before == 0 && with.attributes.bytes().empty() &&
           with.time_left == base::duration::max();
  }
  [[nodiscard]] identity_word pooled_identity(const wire::envelope& with);
  /// The same message, told of what its source lost `at` that receiver.
  [[nodiscard]] identity_word tell_loss(queue::sender_state& at, identity_word identity);
  /// Memory for a message, which push() spends: true if there is some.
  [[nodiscard]] bool reserve_memory(std::size_t bytes) { return budget_->reserve(share_, budget_->cost_of(bytes)); }
  void spend_memory(std::size_t bytes) noexcept { budget_->spend(share_, budget_->cost_of(bytes)); }
  [[nodiscard]] refusal no_memory_for(std::size_t bytes) const noexcept {
    return {budget_.get(), budget_->cost_of(bytes), strictest()};
  }
  /// Before the inbox it listens to can go: the derived destructor calls it first.
  void stop_listening();
  /// What is written there is published, and counted nowhere else. Null: nothing is yet; always the same one.
  void note_multicast(std::shared_ptr<const queue::multicast_base> which) noexcept;
  /// Of a message that goes to no multicast.
  [[gnu::always_inline]] void count_published() noexcept {
    published_.store(published_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // What every publish reads or writes.
  alignas(64) queue::gate gate_;
  source_state& source_;
  const std::atomic<std::uint64_t>* const version_;  // the bus's
  std::uint64_t seen_version_ = 0;
  // Nowhere, or false, unless nothing else has to be looked at; close() takes them away.
  shortcut at_once_;                         // in step with the source
  shortcut by_number_;                       // with a number of the source
  source_state own_source_;                  // its next number ends the line
  std::atomic<bool> nobody_{false};          // wants the topic, as of seen_version_
  std::atomic<std::uint64_t> published_{0};  // but for what multicast_ and counted_calls_ count

  bus_core& core_;
  topic_core& topic_;
  queue::space_listener* const remote_;  // told, never listed: many outlets share it
  const std::shared_ptr<queue::byte_budget> budget_;
  queue::budget_share share_{gate_};
  source_id last_remote_;
  std::uint64_t last_alias_ = 0;
  std::atomic<std::uint32_t> held_{0};
  std::shared_ptr<inline_table> inlines_;  // null: none, or the bus is closed
  std::shared_ptr<inline_table> let_go_;   // its memory: a publish that began before may still mark a call in it
  bool only_called_ = false;               // everybody who wants the topic may be called by value
  identity_word step_origin_;              // in step by pushes: what position 0 would be
  history_keeper* keeper_ = nullptr;       // the topic's; null: none

 private:
  struct held_message {
    identity_word identity;
    base::time_point deadline;
    std::shared_ptr<lane> owner;
  };
  /// What calls user code: done when every lock is released.
  struct afterwards {
    std::vector<inline_call> calls;
    std::vector<event> events;
    std::vector<std::shared_ptr<inline_table>> tables;  // abandoned
    ~afterwards();
  };
  enum class attempt : std::uint8_t { placed, nobody, refused, closed };

  struct any_receivers;
  bool call_numbered(inline_call_entry& to, const void* value) noexcept;
  void refresh(afterwards& left);
  /// Everybody who wants the topic may be called by value, and the source has an index.
  void note_called(inline_call_entry& which);
  void forget_called();
  /// What depends on who receives; adopt() finds it anew.
  void forget_table(afterwards& left);
  [[nodiscard]] bool leaves_apart() const noexcept;
  void adopt_leaving(const std::shared_ptr<egress_inbox>& egress);
  void adopt_any(const receiver_table& table, const std::shared_ptr<egress_inbox>& egress);
  /// `drops`: a message for which there is no memory may pass by.
  attempt try_once(offer& what, refusal& refused, bool drops);
  identity_word slow_identity();
  identity_word identity_of(const offer& what);
  identity_word described_identity(const offer& what);
  /// With correlation and causation of the handler that runs here.
  static wire::envelope caused_envelope(message_id own);
  identity_word slow_input_identity(const wire::envelope& with);
  // A refusal by nobody: only what a handler holds is in the way.
  publish_status answer_refused(const refusal& refused) noexcept;
  [[nodiscard]] base::time_point wait_deadline(const refusal& refused, const publish_limits& limits);
  bool wait_for_room(const refusal& refused, base::time_point deadline);
  bool hold(offer& what, base::time_point deadline);
  /// Nobody can refuse the message for which there is no memory: it is lost, counted everywhere.
  [[nodiscard]] static bool passes_by(const refusal& refused) noexcept {
    return refused && !queue::refuses_when_full(refused.rule.kind);
  }
  /// Returns: true if what idle producers held in advance makes room.
  [[nodiscard]] static bool reclaim_for(const refusal& refused);
  /// Returns: who refused it; nobody when it is gone or the table moved.
  refusal place_oldest_held(afterwards& left, bool drops);
  void finish(afterwards& left);
  bool place_held(afterwards& left);
  void forget_oldest();
  void lose_oldest_held();
  void give_up_oldest(afterwards& left, const char* why);
  /// The oldest held message is given up; `why` for a person.
  void count_undeliverable(const char* why, afterwards& left);
  /// One listener stands in one list at a time. Returns: false if there is room meanwhile.
  bool listen_to(const refusal& full);

  mutable std::mutex slow_mutex_;            // structure and held messages
  std::vector<held_message> held_messages_;  // oldest first
  queue::bound* listening_to_ = nullptr;
  std::shared_ptr<writable_signal> writable_;
  base::duration last_timeout_{};  // owner: of the inbox that refused last
  std::atomic<executor_core*> holder_{nullptr};
  envelope_pool envelopes_;
  // What leaves by the route's queue keeps to it, and to its place there, also while nobody wants the topic.
  std::shared_ptr<queue::sender<any_slot>> resting_egress_;
  std::shared_ptr<any_receivers> any_;  // null: none; owned alone, a unique_ptr costs every includer 90 classes
  std::shared_ptr<const queue::multicast_base> multicast_;
  std::atomic<const queue::multicast_base*> counted_{nullptr};  // the same, for anyone
  mutable base::small_mutex counting_calls_;
  const inline_caller* counted_calls_ = nullptr;  // counting_calls_; of inlines_ or let_go_, whose calls are published
  inline_call_entry* step_calls_ = nullptr;       // owner; the same one, where its calls are in step with the source
  std::atomic<std::uint64_t> no_subscribers_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
