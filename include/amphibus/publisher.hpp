#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/outlet.hpp>
#include <amphibus/status.hpp>

namespace amphibus {

/// What a publisher can choose.
struct publisher_options {
  /// Upper bound of what one publish may wait, whatever subscribers ask; 0: never, so that no subscriber can stall a
  /// real-time thread. In a handler: how long a message may be held back before it becomes undeliverable.
  base::duration wait_max = base::duration::max();
};

/// The fast way to publish on one topic: a source of its own, owned by one thread.
///
/// Use it in loops and hot paths; bus::publish for the occasional message from anywhere.
/// Order: FIFO per publisher to every subscription. Thread: confined; move it to hand it over. Lifetime: may outlive
/// the bus; then publish answers closed.
template <class T>
class publisher {
 public:
  publisher(publisher&&) noexcept = default;
  publisher& operator=(publisher&& other) noexcept {
    publisher ending(std::move(other));
    std::swap(core_, ending.core_);
    std::swap(source_, ending.source_);
    std::swap(outlet_, ending.outlet_);
    std::swap(limits_, ending.limits_);
    return *this;
  }

  /// Publishes to everybody who wants the topic, or to nobody.
  ///
  /// Waits where a subscription or route asks `block` and has no room, at most its timeout and wait_max; inside a
  /// handler it never waits: what does not fit is held with the running message and answers accepted. Returns: see
  /// publish_status. Allocates: never in the steady state. Throws: only what moving T throws.
  publish_status publish(T value) { return outlet_->publish(std::move(value), limits_); }
  /// The same, but never waits and holds nothing: would_block if somebody who blocks has no room.
  [[nodiscard]] publish_status try_publish(T value) {
    return outlet_->publish(std::move(value), {base::duration::zero()});
  }

  /// For the library only.
  publisher(std::shared_ptr<detail::bus_core> core, detail::topic_core& to, const publisher_options& options)
      : core_(std::move(core)),
        source_(std::make_unique<detail::source_state>()),
        outlet_(std::make_shared<detail::outlet<T>>(*core_, to, *source_)),
        limits_{options.wait_max} {}

 private:
  std::shared_ptr<detail::bus_core> core_;  // first: everything below refers to it
  std::unique_ptr<detail::source_state> source_;
  std::shared_ptr<detail::outlet<T>> outlet_;
  detail::publish_limits limits_;
};

}  // namespace amphibus
