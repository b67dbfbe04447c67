#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <amphibus/bus.hpp>
#include <amphibus/detail/pulled.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// A message that was pulled, kept without a copy for as long as it is wanted.
///
/// It keeps its place in the receiver's inbox, which is how `capacity` bounds what is kept; destroying it frees the
/// place. Until then it counts as not handled: drain() and close() run to their deadline. Thread: confined, may be
/// moved to and destroyed on any thread. Lifetime: may outlive receiver and bus. One that was moved from may only be
/// assigned to or destroyed.
template <class T>
class message {
 public:
  message(message&& other) noexcept : home_(std::move(other.home_)), slot_(other.slot_), topic_(other.topic_) {}
  message& operator=(message&& other) noexcept {
    message ending(std::move(other));
    std::swap(home_, ending.home_);
    std::swap(slot_, ending.slot_);
    std::swap(topic_, ending.topic_);
    return *this;
  }
  ~message() {
    if (!home_) return;
    home_->finish_one(slot_);
    home_->core().work_ended();
  }

  [[nodiscard]] const T& operator*() const noexcept { return slot_.value(); }
  [[nodiscard]] const T* operator->() const noexcept { return &slot_.value(); }
  /// Who sent it, and what it belongs to. Lifetime: until this message is moved or destroyed.
  [[nodiscard]] context with() const noexcept { return {home_->core(), topic_, slot_.identity}; }

  /// For the library only.
  message(std::shared_ptr<detail::mailbox<detail::slot<T>>> home, const detail::slot<T>& slot) noexcept
      : home_(std::move(home)), slot_(slot), topic_(home_->wants().topic) {}

 private:
  std::shared_ptr<detail::mailbox<detail::slot<T>>> home_;
  detail::slot<T> slot_;
  detail::topic_core* topic_;
};

/// A subscription that is pulled instead of called; made by bus::receiver().
///
/// ```cpp
/// auto in = bus.receiver(orders);
/// while (auto next = in.next_for(std::chrono::seconds(1))) handle(**next);
/// ```
/// It takes up to 64 messages out of its inbox at once and hands them out one by one; what it took,
/// overflow::drop_oldest and latest can no longer throw out. Use it where a thread has a loop of its own; `loop` where
/// it polls descriptors; a handler everywhere else. Messages that its thread publishes are not caused by what it
/// pulled: hand the correlation on with publish_options. Order: FIFO per source. Thread: confined. Lifetime: may
/// outlive the bus; its destructor ends the subscription. One that was moved from is as one that ended.
template <class T>
class receiver {
 public:
  receiver(receiver&&) noexcept = default;
  receiver& operator=(receiver&&) = delete;
  ~receiver() { end(); }

  /// The next message; none if nothing waits, or once the subscription ended. Never waits.
  [[nodiscard]] std::optional<message<T>> try_next() {
    if (!box_) return std::nullopt;
    for (;;) {
      if (at_ == size_) {
        at_ = 0;
        size_ = box_->pull(buffer_->data(), buffer_->size());
        taken_ += size_;
        if (size_ == 0) return std::nullopt;
      }
      const detail::slot<T>& next = (*buffer_)[at_++];
      if (box_->hand_out(next)) return message<T>(box_, next);
    }
  }
  /// The next message, waiting for it until `deadline` of the bus's clock. Returns: none at the deadline, when the bus
  /// was closed and everything is read, and inside a handler, which never waits.
  [[nodiscard]] std::optional<message<T>> next_until(base::time_point deadline) {
    for (;;) {
      if (auto next = try_next()) return next;
      if (!box_ || box_->ended()) return std::nullopt;
      if (!detail::wait_for_messages(*box_, *executor_, taken_, deadline)) return try_next();
    }
  }
  /// The same for at most `limit`.
  [[nodiscard]] std::optional<message<T>> next_for(base::duration limit) {
    if (auto next = try_next()) return next;
    if (!box_) return std::nullopt;
    return next_until(base::deadline_after(box_->core().clock().now(), limit));
  }

  /// Ends the subscription: what was not pulled counts as unsubscribed; messages that were stay good. Idempotent.
  void end() {
    const auto ending = std::exchange(box_, nullptr);
    if (!ending) return;
    ending->end();
    for (; at_ != size_; ++at_) ending->give_up((*buffer_)[at_]);
  }
  /// False once ended here or moved from.
  explicit operator bool() const noexcept { return box_ != nullptr; }
  /// Precondition: not ended here nor moved from. `pending` includes what is kept.
  [[nodiscard]] subscription_counters counters() const { return box_->counters(); }
  [[nodiscard]] const std::string& name() const { return box_->name(); }

  /// For the library only.
  receiver(std::shared_ptr<detail::mailbox<detail::slot<T>>> box, std::shared_ptr<detail::pull_executor> executor)
      : box_(std::move(box)), executor_(std::move(executor)), buffer_(std::make_unique<buffer>()) {}

 private:
  static constexpr std::size_t buffer_size = 64;
  using buffer = std::array<detail::slot<T>, buffer_size>;

  std::shared_ptr<detail::mailbox<detail::slot<T>>> box_;
  std::shared_ptr<detail::pull_executor> executor_;
  std::unique_ptr<buffer> buffer_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::uint64_t taken_ = 0;
};

template <class T>
receiver<T> bus::receiver(const topic<T>& to, const subscription_options& options) {
  auto executor = std::make_shared<detail::pull_executor>();
  check_pulled(options);
  auto box = std::make_shared<detail::mailbox<detail::slot<T>>>(
      core_, detail::interest{.topic = &find(to), .history = options.start.per_key()}, executor,
      subscription_name(options), bounds_for<T, detail::slot<T>>(options), std::make_unique<detail::no_handler>());
  box->finish_from_many_threads();
  core_->subscribe(box);
  return amphibus::receiver<T>(std::move(box), std::move(executor));
}

}  // namespace amphibus
#pragma GCC visibility pop
