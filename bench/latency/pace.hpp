#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <amphibus/base/pause.hpp>

namespace bench {

/// Now, in nanoseconds of the steady clock.
inline std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

/// Calls `send(intended)` at `count` points of time, one every `gap`, and tells each when it should have happened.
///
/// Open loop: a send that comes late because one before took long keeps its intended time, and the receiver counts from
/// there. A loop that waits for the answer, or counts from when it got to send, leaves out exactly the messages that
/// had to wait (coordinated omission). Waits spinning: what sleeps is woken late itself.
template <class Send>
void send_paced(std::size_t count, std::uint64_t gap_ns, const Send& send) {
  const std::uint64_t start = now_ns() + 1'000'000;
  for (std::size_t i = 0; i != count; ++i) {
    const std::uint64_t intended = start + i * gap_ns;
    while (now_ns() < intended) amphibus::base::pause();
    send(intended);
  }
}

}  // namespace bench
