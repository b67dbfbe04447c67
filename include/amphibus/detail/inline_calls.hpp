#pragma once

#include <atomic>

#include <amphibus/context.hpp>
#include <amphibus/detail/handler.hpp>
#include <amphibus/detail/inline_caller.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// A handler that a publish calls at once, with what a call outside handlers needs, made once.
///
/// Thread: the owner of the outlet. Lifetime: until the last call returns, also when the outlet is gone by then.
struct alignas(64) inline_call_entry {
  message_handler* handler;
  frame here;            ///< without an outer one and without a lane
  inline_caller caller;  ///< what a call writes of it ends the first line
  const std::atomic<bool>* ended;
  context with;

  inline_call_entry(bus_core& bus, subscriber_base& who, topic_core& about, message_handler& calls,
                    const std::atomic<bool>& has_ended) noexcept
      : handler(&calls), here(frame::idle{}, bus, who, about), ended(&has_ended), with(bus, here.topic, here.message) {}

  /// Precondition: outside handlers; `caller` says that there is a call, and nothing ended before that.
  [[gnu::always_inline]] void call(const void* value, identity_word identity) noexcept {
    here.message = identity;
    current_frame = &here;
    try {
      handler->call(value, with);
    } catch (...) {
      count_failed();
    }
    current_frame = nullptr;
  }
  /// The call returned.
  [[gnu::always_inline]] void end(std::uint64_t begun) noexcept {
    if (caller.end(begun)) [[unlikely]]
      tell();
  }

 private:
  /// What is being caught.
  void count_failed() noexcept;
  void tell() const noexcept;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
