#pragma once

#include <cstdint>

#include <amphibus/base/time.hpp>
#include <amphibus/queue/credit.hpp>

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

/// What may be full, and so refuse a message: an inbox, or the memory of all messages of a bus.
///
/// Thread: safe.
class bound {
 public:
  bound(std::int64_t capacity, overflow_rule overflow) noexcept : credit_(capacity), overflow_(overflow) {}
  bound(std::int64_t capacity, overflow_rule overflow, std::int64_t wake_at) noexcept
      : credit_(capacity, wake_at), overflow_(overflow) {}
  bound(const bound&) = delete;
  bound& operator=(const bound&) = delete;

  [[nodiscard]] const overflow_rule& overflow() const noexcept { return overflow_; }
  [[nodiscard]] credit_account& credit() noexcept { return credit_; }
  [[nodiscard]] const credit_account& credit() const noexcept { return credit_; }
  /// Takes the unused credit of producers that are not publishing right now. Returns: true if any was found; without a
  /// barrier if there is none to find. Precondition: the caller is outside every gate.
  virtual bool reclaim_idle_credit() = 0;

 protected:
  ~bound() = default;

 private:
  credit_account credit_;
  const overflow_rule overflow_;
};

}  // namespace amphibus::queue
