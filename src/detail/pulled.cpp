#include <amphibus/detail/pulled.hpp>

#include <thread>

#include <amphibus/base/barrier.hpp>
#include <amphibus/base/pause.hpp>
#include <amphibus/detail/bus_core.hpp>

namespace amphibus::detail {
namespace {

constexpr unsigned spin_pauses = 50;

}  // namespace

bool wait_for_messages(mailbox_base& at, pull_executor& by, std::uint64_t taken, base::time_point deadline) {
  if (current_lane() != nullptr) return false;
  queue::inbox_base& inbox = at.bounds();
  const auto unread = [&] { return inbox.pushed() != taken + inbox.replaced(); };
  for (unsigned i = 0; i != spin_pauses; ++i) base::pause();
  if (at.ended() || unread()) return true;
  inbox.deactivate();
  base::heavy_barrier();
  if (unread()) {
    // False: a producer was faster and has unparked us already.
    static_cast<void>(inbox.reactivate());
    return true;
  }
  at.core().work_ended();
  return at.core().clock().park_until(by.parker(), deadline);
}

}  // namespace amphibus::detail
