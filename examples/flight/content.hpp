#pragma once

#include <cstdint>
#include <cstring>

#include "fields.hpp"

namespace flight {

/// A digest over messages in their order: equal on both sides only if the same messages came in the same order.
///
/// FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/): cheap, and against accidents. `due_ns` is left out, so
/// that it is the same in every run.
class content {
 public:
  template <class T>
  void add(const T& message) {
    mix(message.seq);
    mix(message.number);
    mix(message.log_us);
    mix(message.stamp_us);
    mix(message.instance);
    for_each_value(
        message, [this](const auto value) { mix(value); },
        [this](const std::vector<float>& values, std::size_t) {
          mix(values.size());
          for (const float each : values) mix(each);
        });
  }
  [[nodiscard]] std::uint64_t digest() const noexcept { return hash_; }

 private:
  template <class Value>
  void mix(Value value) noexcept {
    unsigned char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    for (const unsigned char each : bytes) hash_ = (hash_ ^ each) * 0x100000001b3U;
  }

  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace flight
