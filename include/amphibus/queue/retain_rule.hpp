#pragma once

#include <cstddef>

#pragma GCC visibility push(default)
namespace amphibus::queue {

inline constexpr std::size_t retained_per_key_max = 65'536;
inline constexpr std::size_t retained_messages_max = std::size_t{1} << 24U;
inline constexpr std::size_t retained_messages_default = 65'536;

/// What a topic keeps for subscriptions that come later.
struct retain_rule {
  std::size_t per_key = 0;                               ///< the last so many messages of each key; 0: nothing
  std::size_t messages_max = retained_messages_default;  ///< of all keys together; the oldest is forgotten first

  [[nodiscard]] constexpr bool is_valid() const noexcept {
    return per_key >= 1 && per_key <= retained_per_key_max && messages_max >= per_key &&
           messages_max <= retained_messages_max;
  }
  friend constexpr bool operator==(const retain_rule& a, const retain_rule& b) noexcept {
    return a.per_key == b.per_key && (a.per_key == 0 || a.messages_max == b.messages_max);
  }
};

}  // namespace amphibus::queue
#pragma GCC visibility pop
