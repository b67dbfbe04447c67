#pragma once

#include <amphibus/detail/message.hpp>

namespace amphibus::detail {

class bus_core;
class mailbox_base;

/// One handler call on this thread's stack: who runs, and for which message. Publishing looks at it to forward the
/// context and to know that it must not wait.
struct frame {
  frame(bus_core& of, mailbox_base& who) noexcept;
  ~frame();
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;

  frame* const outer;
  bus_core& bus;
  mailbox_base& owner;
  identity_word message;
};

// constinit: the publish path reads it without a guard or a wrapper call.
inline constinit thread_local frame* current_frame = nullptr;
/// Set on threads of transports and while callbacks run: a publish there never waits.
inline constinit thread_local bool publish_must_not_wait = false;

inline frame::frame(bus_core& of, mailbox_base& who) noexcept : outer(current_frame), bus(of), owner(who) {
  current_frame = this;
}
inline frame::~frame() { current_frame = outer; }

}  // namespace amphibus::detail
