#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include <amphibus/detail/inline_calls.hpp>
#include <amphibus/detail/subscriber.hpp>

#include "detail/call_waiters.hpp"
#include "detail/inline_callers.hpp"

namespace amphibus::detail {

/// A subscription whose handler runs inside the publish, on the publisher's thread; several publishers call at once.
///
/// Its end waits for calls by the asymmetric barrier of base/barrier.hpp: a call costs its publisher plain stores. What
/// comes from another process has no publisher here: a mailbox stands in for it (stand_in), whose handler calls this
/// one. Thread: any; `by` is the table's of the publisher for which it is called.
class inline_subscriber final : public subscriber_base, public call_waiter {
 public:
  inline_subscriber(std::shared_ptr<bus_core> core, interest to, std::string name,
                    std::unique_ptr<message_handler> handler, std::unique_ptr<message_filter> filter);
  ~inline_subscriber() override;

  void call(inline_caller& by, const any_slot& message) noexcept;
  /// True if every message without a deadline may be handed to its handler by value.
  [[nodiscard]] bool takes_values() const noexcept { return by_value_ != nullptr; }
  [[nodiscard]] message_handler::value_call by_value() const noexcept { return by_value_; }
  /// For who counts itself as a caller meanwhile, and saw that it had not ended then.
  [[nodiscard]] message_handler& handler() noexcept { return called_; }
  [[nodiscard]] const std::atomic<bool>& has_ended() const noexcept { return ended_; }
  /// Its handler threw what is being caught.
  void count_caught() noexcept;
  [[nodiscard]] bool waits_for(const inline_caller* which) noexcept override { return callers_.includes(which); }
  void call_returned() noexcept override { destroy_if_last(); }
  /// From the stand-in, whose frame and context are there already.
  void call_for_remote(const any_slot& message, frame& here, const context& with);
  void end() override;
  [[nodiscard]] subscription_counters counters() noexcept override;
  [[nodiscard]] delivery_kind kind() const noexcept override { return delivery_kind::in_publisher; }

  void join(inline_caller& who) { callers_.join(who); }
  void part(inline_caller& who);
  /// Ends together with this one. Before anybody publishes.
  void set_stand_in(std::shared_ptr<subscriber_base> stand_in) { stand_in_ = std::move(stand_in); }

 private:
  /// By who counts itself as a caller. Returns: true if the handler was called.
  bool call_marked(const any_slot& message) noexcept;
  void wait_for_callers();
  /// It has ended, and a call returned, or there may be none.
  void destroy_if_last() noexcept;
  [[nodiscard]] bool wants_message(const any_slot& message) noexcept;
  const message_handler::value_call by_value_;
  std::unique_ptr<message_handler> handler_;
  message_handler& called_;  // the same; a table may be made while the end takes handler_ away
  std::unique_ptr<message_filter> filter_;
  std::atomic<std::uint64_t> filtered_{0};
  std::shared_ptr<subscriber_base> stand_in_;
  inline_callers callers_;
};

/// The handler of a stand-in.
std::unique_ptr<message_handler> make_stand_in_handler(std::shared_ptr<inline_subscriber> who);

/// The inline subscriptions of one publisher's table; kept alive by the publish that calls them.
class inline_table final : public call_waiter {
 public:
  inline_table(const std::vector<std::shared_ptr<subscriber_base>>& all, topic_core& about);
  inline_table(const inline_table&) = delete;
  inline_table& operator=(const inline_table&) = delete;

  /// Inside the outlet's gate: call() outside of it follows, by anyone. It keeps the table and its subscriptions.
  void promise_call() noexcept { promised_.enter(); }
  void call(const any_slot& message) noexcept;

  /// True if everybody may be called by value.
  [[nodiscard]] bool takes_values() const noexcept { return takes_values_; }
  /// For outlet_base::call_at_once(): calls all of them. Precondition: takes_values().
  [[nodiscard]] inline_call_entry& at_once() noexcept { return all_ ? *all_ : entries_.front()->calls; }
  /// Its outlet let go of it: a call keeps its subscriptions until it returns. What keeps its memory after that is the
  /// caller's affair. The owner, or anyone when a heavy barrier is over since nobody can begin another call. Outside of
  /// every lock, because it may be what destroys a handler.
  static void abandon(const std::shared_ptr<inline_table>& which) noexcept;
  [[nodiscard]] bool waits_for(const inline_caller* which) noexcept override;
  void call_returned() noexcept override;

 private:
  struct entry {
    std::shared_ptr<inline_subscriber> who;  // null once it parted
    inline_call_entry calls;
    entry(std::shared_ptr<inline_subscriber> of, topic_core& about);
    ~entry() { part(); }
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    void part() noexcept;
  };
  class all_handler;
  [[nodiscard]] bool is_called() const noexcept;
  void part() noexcept;

  std::vector<std::unique_ptr<entry>> entries_;
  bool takes_values_ = true;
  inline_caller promised_;  // nobody's calls, but for this table
  // Where there are several, a handler that calls each of them, and who is called by value for all.
  std::unique_ptr<message_handler> all_handler_;
  std::unique_ptr<inline_call_entry> all_;
};

}  // namespace amphibus::detail
