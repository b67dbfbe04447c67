#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <amphibus/detail/outlet_base.hpp>
#include <amphibus/detail/topic_core.hpp>
#include <amphibus/queue/retain_rule.hpp>

namespace amphibus::detail {

/// What all topics of a bus may retain together, in bytes of messages outside of the queues. Thread: safe.
struct kept_memory {
  explicit kept_memory(std::int64_t max) noexcept : max_bytes(max) {}
  /// Returns: false, and nothing is reserved, beyond the limit.
  [[nodiscard]] bool reserve(std::int64_t bytes) noexcept {
    std::int64_t used = used_bytes.load(std::memory_order_relaxed);
    while (used + bytes <= max_bytes) {
      if (used_bytes.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void give_back(std::int64_t bytes) noexcept { used_bytes.fetch_sub(bytes, std::memory_order_relaxed); }

  const std::int64_t max_bytes;
  std::atomic<std::int64_t> used_bytes{0};
};

/// What a topic retains: the last messages of each key, in the order of their publish.
///
/// A publisher holds order() from its look at the table of receivers until its message lies everywhere, here too; who
/// joins holds it while it copies what is kept and enters the table. So each message is either in the copy or pushed to
/// who joined. Thread: under order(), but for the counts. Lifetime: its topic's.
class history_keeper {
 public:
  history_keeper(const topic_core& of, const queue::retain_rule& rule, kept_memory& memory);
  history_keeper(const history_keeper&) = delete;
  history_keeper& operator=(const history_keeper&) = delete;
  ~history_keeper();

  [[nodiscard]] const queue::retain_rule& rule() const noexcept { return rule_; }
  [[nodiscard]] std::mutex& order() noexcept { return order_; }

  /// Takes over the references of `message`; what gives way goes to `gone`, because a destructor may do anything.
  /// Throws: std::bad_alloc.
  void keep(const any_slot& message, gone_messages& gone);
  /// Calls `take` with the last `per_key` messages of each key, oldest first, borrowed.
  template <class Callable>
  void each_of_last(std::size_t per_key, Callable take) const {
    for (const entry& each : entries_) {
      if (each.of->second.next_ordinal - each.ordinal <= per_key) take(each.message);
    }
  }
  /// Everything that is kept goes to `gone`.
  void clear(gone_messages& gone);

  /// Thread: any.
  [[nodiscard]] std::uint64_t kept() const noexcept { return kept_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_.load(std::memory_order_relaxed); }
  /// A message was accepted that could not be kept.
  void count_forgotten() noexcept { forgotten_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct text_hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct entry;
  using entry_list = std::list<entry>;
  struct of_key {
    std::uint64_t next_ordinal = 0;
    std::size_t kept = 0;
    entry_list::iterator oldest;
    entry_list::iterator newest;
  };
  using key_map = std::unordered_map<std::string, of_key, text_hash, std::equal_to<>>;
  struct entry {
    any_slot message;
    std::int64_t bytes = 0;
    std::uint64_t ordinal = 0;  // among its key's
    key_map::value_type* of = nullptr;
    entry_list::iterator newer;  // of the same key; meaningless in its newest
  };

  [[nodiscard]] key_map::value_type& find_key(std::string_view key);
  /// Frees memory and a place. Returns: false if nothing is left to forget for it.
  [[nodiscard]] bool make_room(std::int64_t bytes, const key_map::value_type& spared, gone_messages& gone);
  void append(key_map::value_type& to, const any_slot& message, std::int64_t bytes);
  /// Precondition: it is the oldest of its key.
  void remove(entry_list::iterator which, gone_messages& gone);
  void erase_if_empty(const key_map::value_type& which);

  const topic_core& topic_;
  const queue::retain_rule rule_;
  kept_memory& memory_;
  std::mutex order_;
  entry_list entries_;  // oldest first
  entry_list spare_;    // one at most: a steady stream allocates nothing
  key_map keys_;
  std::atomic<std::uint64_t> kept_{0};
  std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace amphibus::detail
