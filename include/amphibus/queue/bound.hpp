#pragma once

#include <cstdint>

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/time.hpp>
#include <amphibus/queue/credit.hpp>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// What a producer that found no room does.
enum class overflow_kind : std::uint8_t {
  block,        ///< the publish waits, or is refused as a whole
  fail,         ///< the publish is refused as a whole, at once
  drop_newest,  ///< the message passes this inbox by and is counted
  drop_oldest,  ///< the same source's oldest queued message makes room and is counted
  latest,       ///< one place per key: a newer message replaces what waits (see keyed_store)
};

[[nodiscard]] constexpr bool refuses_when_full(overflow_kind kind) noexcept {
  return kind == overflow_kind::block || kind == overflow_kind::fail;
}

struct overflow_rule {
  overflow_kind kind = overflow_kind::block;
  base::duration block_timeout = std::chrono::seconds(5);  ///< how long a publish waits for room; only for block
};

/// Of two rules of receivers of one message, the one that refuses it sooner.
[[nodiscard]] constexpr overflow_rule stricter(const overflow_rule& one, const overflow_rule& other) noexcept {
  if (one.kind == overflow_kind::fail || !refuses_when_full(other.kind)) return one;
  if (other.kind == overflow_kind::fail || !refuses_when_full(one.kind)) return other;
  return one.block_timeout < other.block_timeout ? one : other;
}

/// What may be full, and so refuse a message: an inbox, or the memory of all messages of a bus.
///
/// Thread: safe.
class bound {
 public:
  explicit bound(std::int64_t capacity, credit_account::waking when = credit_account::waking::at_half) noexcept
      : credit_(capacity, when) {}
  bound(const bound&) = delete;
  bound& operator=(const bound&) = delete;

  [[nodiscard]] credit_account& credit() noexcept { return credit_; }
  [[nodiscard]] const credit_account& credit() const noexcept { return credit_; }
  /// Takes the unused credit of producers that are not publishing right now. Returns: true if any was found. Costs a
  /// heavy barrier where there may be some. Precondition: the caller is outside every gate.
  virtual bool reclaim_idle_credit() = 0;
  /// As credit_account::listen(), for who found nothing to reclaim either. Precondition: the caller is outside every
  /// gate.
  [[nodiscard]] bool listen(space_listener& who, std::int64_t needed) {
    if (!credit_.listen(who, needed)) return false;
    // Once more, now that we are told: a place that was free at the last look may have gone to a producer that does not
    // use it, and nobody tells of those. Light: the consumer's half is before it rests (inbox_base::rest()).
    base::light_barrier();
    if (!reclaim_idle_credit() || credit_.available() < needed) return true;
    credit_.forget(who);
    return false;
  }

 protected:
  ~bound() = default;

 private:
  credit_account credit_;
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
