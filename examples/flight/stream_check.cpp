#include "stream_check.hpp"

#include <utility>

namespace flight {

void stream_check::count(std::uint32_t number) noexcept {
  ++received_;
  if (number < next_) {
    ++reordered_;
  } else {
    next_ = std::uint64_t{number} + 1;
  }
}

bool stream_check::end(std::uint32_t sent) noexcept {
  sent_ = sent;
  return !std::exchange(ended_, true);
}

}  // namespace flight
