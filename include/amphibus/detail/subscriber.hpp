#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <amphibus/counters.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {
class inbox_base;
}
namespace amphibus::wire {
struct codec_operations;
}

namespace amphibus::detail {

class bus_core;
class topic_core;
struct type_operations;

/// How messages reach a subscription.
enum class delivery_kind : std::uint8_t {
  queued,        ///< through a mailbox whose slots are of the topic's type
  queued_any,    ///< through a mailbox of any_slot
  in_publisher,  ///< called by the publisher
  stand_in,      ///< a mailbox of any_slot that takes only what comes from other processes
};

/// What a subscription is to: one topic, or every topic that matches a pattern.
struct interest {
  topic_core* topic = nullptr;                    ///< null for a pattern
  std::string pattern = {};                       ///< empty for a topic
  const type_operations* type = nullptr;          ///< of a pattern: null takes every type
  const wire::codec_operations* codec = nullptr;  ///< of that type
  std::size_t history = 0;                        ///< of what is retained, the last so many of each key come first

  /// True for a pattern that topics of other processes can reach.
  [[nodiscard]] bool reaches_out() const noexcept { return topic == nullptr && (type == nullptr || codec != nullptr); }
};

/// A subscription's engine side, whoever runs its handler: what it is to, its name, and how it ends.
///
/// Thread: safe. Lifetime: shared by the subscription, the topic's table and publishers with an old table; those keep
/// the inbox alive, never the handler.
class subscriber_base : public std::enable_shared_from_this<subscriber_base> {
 public:
  subscriber_base(std::shared_ptr<bus_core> core, interest to, std::string name);
  subscriber_base(const subscriber_base&) = delete;
  subscriber_base& operator=(const subscriber_base&) = delete;
  virtual ~subscriber_base();

  /// The subscription's end, with the guarantee of subscription's destructor. Idempotent.
  virtual void end() = 0;
  [[nodiscard]] virtual subscription_counters counters() noexcept = 0;
  [[nodiscard]] virtual delivery_kind kind() const noexcept = 0;
  /// Where its messages wait, for counting; null if they wait nowhere.
  [[nodiscard]] virtual queue::inbox_base* waiting_room() noexcept { return nullptr; }
  /// Its bus closed, or what ran it is gone: nothing will run it any more.
  virtual void executor_ended() noexcept {}
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }

  [[nodiscard]] bus_core& core() noexcept { return *core_; }
  [[nodiscard]] const interest& wants() const noexcept { return to_; }
  /// The topic's name, or the pattern.
  [[nodiscard]] const std::string& wanted_name() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// True if a handler of this subscription is on this thread's call stack.
  [[nodiscard]] bool on_this_stack() const noexcept;
  /// True the first time: a pattern tells of topics with another type once.
  [[nodiscard]] bool first_mismatch() noexcept { return !mismatch_told_.exchange(true, std::memory_order_relaxed); }

  void count_failed(const char* what, std::uint64_t count = 1) noexcept;

 protected:
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  /// Messages whose deadline had passed.
  void count_expired(std::uint64_t count) noexcept { expired_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t expired() const noexcept { return expired_.load(std::memory_order_relaxed); }
  void tell_expired(std::uint64_t count) noexcept;

  /// True for the first who wants to destroy the callable: it does, and then says destroyed().
  [[nodiscard]] bool begin_destroying() noexcept;
  void destroyed() noexcept;
  /// Returns when the callable is destroyed, whoever does it; at once inside its own destructor.
  void wait_until_destroyed();

  std::atomic<bool> ended_{false};

 private:
  enum class callable : std::uint8_t { alive, dying, gone };

  std::atomic<bool> mismatch_told_{false};
  std::atomic<callable> callable_{callable::alive};
  const std::shared_ptr<bus_core> core_;
  const interest to_;
  const std::string name_;
  std::atomic<const void*> destroyer_{nullptr};  // what only its thread has: the address of its current_frame
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> expired_{0};
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
