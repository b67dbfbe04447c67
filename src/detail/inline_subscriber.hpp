#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <amphibus/detail/inline_calls.hpp>
#include <amphibus/detail/subscriber.hpp>

#include "detail/call_waiters.hpp"

namespace amphibus::detail {

/// A subscription whose handler runs inside the publish, on the publisher's thread; several publishers call at once.
///
/// Its end waits for calls by the asymmetric barrier of base/barrier.hpp: a call costs its publisher plain stores. What
/// comes from another process has no publisher here: a mailbox stands in for it (stand_in), whose handler calls this
/// one. Thread: call() from the publisher that owns `by`; the rest from any.
class inline_subscriber final : public subscriber_base, public call_waiter {
 public:
  inline_subscriber(std::shared_ptr<bus_core> core, interest to, std::string name,
                    std::unique_ptr<message_handler> handler, std::unique_ptr<message_filter> filter);
  ~inline_subscriber() override;

  void call(inline_caller& by, const any_slot& message) noexcept;
  /// True if every message without a deadline may be handed to its handler by value.
  [[nodiscard]] bool takes_values() const noexcept { return takes_values_; }
  /// For who counts itself as a caller meanwhile, and saw that it had not ended then.
  [[nodiscard]] message_handler& handler() noexcept { return called_; }
  [[nodiscard]] const std::atomic<bool>& has_ended() const noexcept { return ended_; }
  /// Its handler threw what is being caught.
  void count_caught() noexcept;
  [[nodiscard]] bool waits_for(const inline_caller* which) noexcept override;
  void call_returned() noexcept override { destroy_if_last(); }
  /// From the stand-in, whose frame and context are there already.
  void call_for_remote(const any_slot& message, frame& here, const context& with);
  void end() override;
  [[nodiscard]] subscription_counters counters() noexcept override;
  [[nodiscard]] delivery_kind kind() const noexcept override { return delivery_kind::in_publisher; }

  void join(inline_caller& who);
  void part(inline_caller& who);
  /// Ends together with this one. Before anybody publishes.
  void set_stand_in(std::shared_ptr<subscriber_base> stand_in) { stand_in_ = std::move(stand_in); }

 private:
  void wait_for_callers();
  /// It has ended, and a call returned, or there may be none.
  void destroy_if_last() noexcept;
  [[nodiscard]] bool somebody_calls() const;
  [[nodiscard]] bool wants_message(const any_slot& message) noexcept;
  const bool takes_values_;
  std::unique_ptr<message_handler> handler_;
  message_handler& called_;  // the same; a table may be made while the end takes handler_ away
  std::unique_ptr<message_filter> filter_;
  std::atomic<std::uint64_t> filtered_{0};
  std::shared_ptr<subscriber_base> stand_in_;
  mutable std::mutex callers_mutex_;
  std::vector<inline_caller*> callers_;
  bool depths_are_true_ = false;  // it has ended, and the barrier after that is over
  std::uint64_t handled_by_parted_ = 0;
  std::atomic<std::uint32_t> left_{0};  // moves whenever a call of an ended subscription returns
};

/// The handler of a stand-in.
std::unique_ptr<message_handler> make_stand_in_handler(std::shared_ptr<inline_subscriber> who);

/// The inline subscriptions of one publisher's table; kept alive by the publish that calls them.
class inline_table final : public inline_calls, public call_waiter {
 public:
  inline_table(const std::vector<std::shared_ptr<subscriber_base>>& all, topic_core& about);
  ~inline_table();

  void call(const any_slot& message) noexcept;

  /// True if everybody may be called by value.
  [[nodiscard]] bool takes_values() const noexcept { return takes_values_; }
  /// Its outlet lets go of it, inside the gate, or in the owner's stead: a call keeps it until it returns.
  static void abandon(std::shared_ptr<inline_table> which) noexcept;
  [[nodiscard]] bool waits_for(const inline_caller* which) noexcept override;
  void call_returned() noexcept override;

 private:
  struct entry {
    std::shared_ptr<inline_subscriber> who;
    inline_call_entry calls;
    entry(std::shared_ptr<inline_subscriber> of, topic_core& about);
  };
  friend class inline_calls;
  [[nodiscard]] bool is_called() const noexcept;

  std::vector<std::unique_ptr<entry>> entries_;
  bool takes_values_ = true;
};

}  // namespace amphibus::detail
