#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include <amphibus/base/ids.hpp>
#include <amphibus/base/small_mutex.hpp>

namespace amphibus::detail {

class topic_core;

/// What publishers threw out of an inbox that drops its oldest messages, until the next message of the same stream
/// tells. Thread: safe; nothing but one load while nothing was evicted.
class eviction_list {
 public:
  [[nodiscard]] bool any() const noexcept { return any_.load(std::memory_order_acquire); }
  /// `count` messages of the stream were lost up to `message` of `topic`, which will not be handled.
  void add(const topic_core* topic, const message_id& message, std::uint64_t count);
  /// How many messages of the stream were lost before `message` and not told yet.
  [[nodiscard]] std::uint64_t take(const topic_core* topic, const message_id& message);

 private:
  struct entry {
    const topic_core* topic;
    source_id source;
    std::uint64_t last;  ///< sequence of the newest evicted one
    std::uint64_t count;
  };
  std::atomic<bool> any_{false};
  base::small_mutex mutex_;
  std::vector<entry> entries_;
};

}  // namespace amphibus::detail
