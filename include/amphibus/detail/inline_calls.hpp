#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <amphibus/context.hpp>
#include <amphibus/detail/handler.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// One publisher's calls of one inline subscription, written by that publisher alone.
struct inline_caller {
  std::atomic<std::uint32_t> depth{0};  ///< calls on its stack
  std::atomic<std::uint64_t> handled{0};
  [[gnu::always_inline]] void count_handled() noexcept {
    handled.store(handled.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

/// One of the handlers that a publish calls, with what a call outside handlers needs, made once.
struct alignas(64) inline_call_entry {
  inline_caller caller;
  message_handler* handler;
  const std::atomic<bool>* ended;
  frame here;  ///< without an outer one and without a lane
  context with;

  inline_call_entry(bus_core& bus, subscriber_base& who, topic_core& about, message_handler& calls,
                    const std::atomic<bool>& has_ended) noexcept
      : handler(&calls), ended(&has_ended), here(frame::idle{}, bus, who, about), with(bus, here.topic, here.message) {}

  /// Precondition: outside handlers; the barrier mode is membarrier.
  [[gnu::always_inline]] void call(const void* value, identity_word identity) noexcept {
    caller.depth.store(1, std::memory_order_relaxed);
    base::compiler_barrier();
    if (!ended->load(std::memory_order_acquire)) [[likely]] {
      here.message = identity;
      current_frame = &here;
      try {
        handler->call(value, with);
      } catch (...) {
        count_failed();
      }
      current_frame = nullptr;
      caller.count_handled();
    }
    caller.depth.store(0, std::memory_order_release);  // SYNC(inline.depth): pairs with somebody_calls()
    if (ended->load(std::memory_order_acquire)) [[unlikely]]
      finish_end();
  }

 private:
  /// What is being caught.
  void count_failed() noexcept;
  void finish_end() noexcept;
};

/// Everybody whom a publish calls, where nobody else wants the topic. Thread: the owner of the outlet. Lifetime: until
/// the last call returns, also when its outlet is gone by then.
class inline_calls {
 public:
  inline_calls(const inline_calls&) = delete;
  inline_calls& operator=(const inline_calls&) = delete;

  /// Inside the outlet's gate; call() outside of it follows.
  [[gnu::always_inline]] void enter() noexcept {
    calling_.store(calling_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[gnu::always_inline]] void call(const void* value, identity_word identity) noexcept {
    for (inline_call_entry* const* each = first_; each != last_; ++each) (*each)->call(value, identity);
    const std::uint32_t left = calling_.load(std::memory_order_relaxed) - 1;
    calling_.store(left, std::memory_order_release);  // SYNC(inline_calls.calling)
    base::compiler_barrier();
    if (abandoned_.load(std::memory_order_relaxed) && left == 0) [[unlikely]]
      finish_abandoning();
  }

 protected:
  inline_calls() = default;
  ~inline_calls() = default;

  inline_call_entry* const* first_ = nullptr;
  inline_call_entry* const* last_ = nullptr;
  // Calls of the owner outside handlers: more than one where a callable that ended publishes as it is destroyed.
  std::atomic<std::uint32_t> calling_{0};
  std::atomic<bool> abandoned_{false};  // who takes it back lets go of the table

 private:
  void finish_abandoning() noexcept;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
