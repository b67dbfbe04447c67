#pragma once

#include <amphibus/detail/message.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class bus_core;
class lane;
class subscriber_base;

/// One handler call on this thread's stack: who runs, and for which message. Publishing looks at it to forward the
/// context and to know that it must not wait.
///
/// `turn` is the lane whose turn this is: its source publishes, and it holds back what finds no room. A handler that
/// runs inside a publish has the lane of that publish: none where a user's thread publishes.
struct frame {
  frame(bus_core& of, subscriber_base& who, lane* whose, topic_core* about) noexcept;
  ~frame();
  /// For many calls outside handlers, one after the other: whoever calls makes it the current one, and none again.
  struct idle {};
  frame(idle, bus_core& of, subscriber_base& who, topic_core& about) noexcept
      : outer(nullptr), bus(of), owner(who), turn(nullptr), topic(&about) {}
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;

  frame* const outer;
  bus_core& bus;
  subscriber_base& owner;
  lane* const turn;
  topic_core* topic;  ///< of `message`
  identity_word message;
};

// constinit: the publish path reads it without a guard or a wrapper call.
inline constinit thread_local frame* current_frame = nullptr;
/// Set on threads of transports and while callbacks run: a publish there never waits.
inline constinit thread_local bool publish_must_not_wait = false;

inline frame::frame(bus_core& of, subscriber_base& who, lane* whose, topic_core* about) noexcept
    : outer(current_frame), bus(of), owner(who), turn(whose), topic(about) {
  current_frame = this;
}
inline frame::~frame() {
  if (current_frame == this) current_frame = outer;
}

/// The lane whose turn it is on this thread, or null.
[[nodiscard]] inline lane* current_lane() noexcept { return current_frame == nullptr ? nullptr : current_frame->turn; }

}  // namespace amphibus::detail
#pragma GCC visibility pop
