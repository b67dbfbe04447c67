#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace amphibus::queue {

/// The inbox of overflow::latest(): one place per key, in the order in which keys got something to handle; a newer
/// value replaces the one that waits.
///
/// Bound: `capacity` keys that wait at once. Values are trivially copyable bytes of one size, copied under a mutex: the
/// consumer sees each at most once per replacement, so its cost stays with those who ask for it. Thread: safe.
class keyed_store {
 public:
  enum class put_result : std::uint8_t {
    added,     ///< the key had nothing that waited
    replaced,  ///< `old_value` holds what waited before
    full,      ///< another key, and no place: nothing changed
  };

  keyed_store(std::size_t value_size, std::size_t capacity);
  keyed_store(const keyed_store&) = delete;
  keyed_store& operator=(const keyed_store&) = delete;
  ~keyed_store();

  /// `space` tells equal keys of different topics apart.
  put_result put(const void* space, std::string_view key, const void* value, void* old_value);
  /// Takes up to `max` values, oldest key first, and how many each of them replaced. Returns: how many.
  std::size_t take(void* values, std::uint64_t* replaced, std::size_t max);

 private:
  struct content;
  const std::size_t value_size_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::unique_ptr<content> content_;
};

}  // namespace amphibus::queue
