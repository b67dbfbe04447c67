#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>

#include <amphibus/base/ids.hpp>
#include <amphibus/detail/message.hpp>

namespace amphibus::detail {

/// Small indices for sources of other processes, so that their messages need no pooled envelope.
///
/// Bound: 65,536 per bus; an outsider cannot make it grow further, later sources travel with pooled envelopes.
/// Thread: safe.
class origin_table {
 public:
  static constexpr std::uint64_t alias_count_max = identity_word::alias_count_max;
  static constexpr std::uint64_t first_alias = identity_word::local_source_max + 1;

  static constexpr bool is_alias(std::uint64_t index) noexcept { return index >= first_alias; }

  /// The alias of `remote`, made at its first use; 0 if the table is full.
  std::uint64_t alias_of(const source_id& remote) {
    const std::lock_guard lock(mutex_);
    const auto found = aliases_.find(remote);
    if (found != aliases_.end()) return found->second;
    if (sources_.size() == alias_count_max) return 0;
    const std::uint64_t alias = first_alias + sources_.size();
    sources_.push_back(remote);
    aliases_.emplace(remote, alias);
    return alias;
  }
  [[nodiscard]] source_id source_of(std::uint64_t alias) const {
    const std::lock_guard lock(mutex_);
    return sources_[alias - first_alias];
  }

 private:
  mutable std::mutex mutex_;
  std::deque<source_id> sources_;
  std::map<source_id, std::uint64_t> aliases_;
};

}  // namespace amphibus::detail
