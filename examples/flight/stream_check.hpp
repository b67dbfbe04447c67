#pragma once

#include <chrono>
#include <cstdint>

#include "content.hpp"
#include "histogram.hpp"

namespace flight {

/// What arrived of one topic, judged by the numbers in the messages. Thread: confined.
class stream_check {
 public:
  template <class T>
  void add(const T& message, std::chrono::nanoseconds now) {
    count(message.number);
    latency_.add(now - std::chrono::nanoseconds(message.due_ns));
    content_.add(message);
  }
  /// The end of the stream says how many there were. Returns: false if it said so before.
  bool end(std::uint32_t sent) noexcept;

  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  /// Came after a later one; a second copy does, too.
  [[nodiscard]] std::uint64_t reordered() const noexcept { return reordered_; }
  /// So many fewer than were sent; known at the end.
  [[nodiscard]] std::uint64_t lost() const noexcept { return sent_ > received_ ? sent_ - received_ : 0; }
  [[nodiscard]] const histogram& latency() const noexcept { return latency_; }
  [[nodiscard]] std::uint64_t digest() const noexcept { return content_.digest(); }

 private:
  void count(std::uint32_t number) noexcept;

  std::uint64_t received_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t sent_ = 0;
  bool ended_ = false;
  histogram latency_;
  content content_;
};

}  // namespace flight
