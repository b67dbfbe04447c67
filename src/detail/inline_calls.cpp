#include <amphibus/detail/inline_calls.hpp>

#include "detail/inline_subscriber.hpp"

namespace amphibus::detail {

identity_word settled(identity_word which) noexcept {
  return which.is_of_call() ? which.caller().last_in_step() : which;
}

void inline_call_entry::tell() const noexcept { tell_returned(&caller); }

void inline_call_entry::count_failed() noexcept { static_cast<inline_subscriber&>(here.owner).count_caught(); }

}  // namespace amphibus::detail
