#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <amphibus/context.hpp>
#include <amphibus/detail/handler.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

struct inline_caller;

/// How many ends and abandoned tables of this process wait for calls of inline handlers to return: src's call_waiters.
extern std::atomic<std::uint32_t> awaited_calls;
/// A call returned while something waits. `which` is only compared.
void tell_returned(const inline_caller* which) noexcept;

/// One publisher's calls of one inline subscription, written by that publisher alone.
struct inline_caller {
  std::atomic<std::uint32_t> depth{0};  ///< calls on its stack
  std::atomic<std::uint64_t> handled{0};
  [[gnu::always_inline]] void count_handled() noexcept {
    handled.store(handled.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// A call returned. What it was about, and this object, may be gone from here on.
  void leave(std::uint32_t depth_before) noexcept {
    depth.store(depth_before, std::memory_order_release);  // SYNC(inline.depth): pairs with who waits for calls
    base::light_barrier();
    tell_if_awaited();
  }
  /// The same for the only call, by who knows that the barrier mode is membarrier.
  [[gnu::always_inline]] void leave_by_membarrier() noexcept {
    depth.store(0, std::memory_order_release);  // SYNC(inline.depth)
    base::compiler_barrier();
    tell_if_awaited();
  }

 private:
  [[gnu::always_inline]] void tell_if_awaited() const noexcept {
    if (awaited_calls.load(std::memory_order_relaxed) != 0) [[unlikely]]
      tell_returned(this);
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

  /// Precondition: outside handlers; the barrier mode is membarrier; `caller` says that there is a call.
  [[gnu::always_inline]] void call(const void* value, identity_word identity) noexcept {
    base::compiler_barrier();
    if (ended->load(std::memory_order_acquire)) [[unlikely]]
      return;
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

 private:
  /// What is being caught.
  void count_failed() noexcept;
};

/// Everybody whom a publish calls, where nobody else wants the topic. Thread: the owner of the outlet. Lifetime: until
/// the last call returns, also when its outlet is gone by then: what has a caller with a call is kept.
class inline_calls {
 public:
  inline_calls(const inline_calls&) = delete;
  inline_calls& operator=(const inline_calls&) = delete;

  /// Inside the outlet's gate; call() outside of it follows.
  [[gnu::always_inline]] void enter() noexcept { first_->caller.depth.store(1, std::memory_order_relaxed); }
  [[gnu::always_inline]] void call(const void* value, identity_word identity) noexcept {
    first_->call(value, identity);
    if (more_) [[unlikely]]
      return call_others(value, identity);
    first_->caller.leave_by_membarrier();
  }

 protected:
  inline_calls() = default;
  ~inline_calls() = default;

  inline_call_entry* first_ = nullptr;
  bool more_ = false;

 private:
  /// Those after the first, which returned.
  void call_others(const void* value, identity_word identity) noexcept;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
