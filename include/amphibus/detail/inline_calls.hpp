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
  message_handler::value_call handle;
  const std::atomic<bool>* ended;
  identity_word step_origin;  ///< of the first call of all, where the outlet is in step with its source
  context with;

  inline_call_entry(bus_core& bus, subscriber_base& who, topic_core& about, message_handler& calls,
                    message_handler::value_call by, const std::atomic<bool>& has_ended) noexcept
      : handler(&calls),
        here(frame::idle{}, bus, who, about),
        handle(by),
        ended(&has_ended),
        with(bus, here.topic, here.message) {}

  /// In step: the identity of the message with which it was called last.
  [[nodiscard]] identity_word last_in_step() const noexcept { return step_origin.packed_after(caller.begun() - 1); }
  /// In step: whether the call before which there were `begun` takes its number from the source all the same, which
  /// looks there whether the numbers last for as many calls again.
  [[nodiscard, gnu::always_inline]] static bool goes_by_number(std::uint64_t begun) noexcept {
    return begun % calls_in_step == 0;
  }
  static constexpr std::uint64_t calls_in_step = std::uint64_t{1} << 20U;
  /// Precondition: outside handlers; `caller` says that there is a call, and nothing ended before that; here.message
  /// says which message it is.
  [[gnu::always_inline]] void call(const void* value) noexcept {
    current_frame = &here;
    try {
      handle(*handler, value, with);
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

  /// It came to nothing.
  [[gnu::noinline]] void give_up(std::uint64_t begun) noexcept { caller.give_up(begun); }

 private:
  /// What is being caught.
  void count_failed() noexcept;
  void tell() const noexcept;
};

/// The same, or what it stands for where it is of_call(): to keep, or to look at closely.
[[nodiscard]] identity_word settled(identity_word which) noexcept;

}  // namespace amphibus::detail
#pragma GCC visibility pop
