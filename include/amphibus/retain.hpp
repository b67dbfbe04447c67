#pragma once

#include <amphibus/queue/retain_rule.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// What a topic keeps for subscriptions that come later, from its first publish on; see subscription_options::start.
///
/// ```cpp
/// struct reading { int sensor; double celsius; };
/// inline constexpr amphibus::topic<reading, &reading::sensor> readings{"plant.readings",
///                                                                      amphibus::retain::last_value()};
/// ```
/// Kept is by key, the topic's or publish_options::key; messages without a key have one in common. `messages_max`, 1 to
/// 16,777,216, bounds all keys together; and all topics of a bus together keep at most half of
/// bus_options::memory_max_bytes. Beyond a bound the topic forgets its oldest message, counted as
/// topic_counters::forgotten. Where a topic retains, publishes to it take turns, and none takes the fast path. Thread:
/// const-safe, a value.
class retain {
 public:
  /// The last message of each key.
  static constexpr retain last_value(std::size_t messages_max = queue::retained_messages_default) noexcept {
    return retain({1, messages_max});
  }
  /// The last `per_key` messages of each key, 1 to 65,536 and no more than `messages_max`.
  static constexpr retain history(std::size_t per_key,
                                  std::size_t messages_max = queue::retained_messages_default) noexcept {
    return retain({per_key, messages_max});
  }

  [[nodiscard]] constexpr const queue::retain_rule& rule() const noexcept { return rule_; }

 private:
  explicit constexpr retain(queue::retain_rule rule) noexcept : rule_(rule) {}
  queue::retain_rule rule_;
};

/// What a subscription gets first. What is retained comes in the order in which it was published, then everything
/// published since, with no gap and nothing twice. Thread: const-safe, a value.
class start {
 public:
  /// What is published from now on. The default.
  static constexpr start live() noexcept { return start(0); }
  /// First the last message of each key that the topic retains.
  static constexpr start last_value() noexcept { return start(1); }
  /// First the last `per_key` messages of each key that the topic retains, or as many as there are.
  static constexpr start history(std::size_t per_key) noexcept { return start(per_key); }

  [[nodiscard]] constexpr std::size_t per_key() const noexcept { return per_key_; }

 private:
  explicit constexpr start(std::size_t per_key) noexcept : per_key_(per_key) {}
  std::size_t per_key_;
};

}  // namespace amphibus
#pragma GCC visibility pop
