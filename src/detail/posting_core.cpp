#include "detail/posting_core.hpp"

#include <system_error>
#include <utility>

#include <amphibus/detail/mailbox.hpp>

#include "detail/timer_desk.hpp"

namespace amphibus {

turn::turn(std::shared_ptr<detail::posting_core> by, std::shared_ptr<detail::mailbox_base> who) noexcept
    : by_(std::move(by)), who_(std::move(who)) {}

void turn::operator()() noexcept {
  const auto by = std::exchange(by_, nullptr);
  if (by) by->run(std::move(who_));
}

namespace detail {

std::shared_ptr<executor_core> make_posting_core(std::unique_ptr<callback<amphibus::turn>> post) {
  return std::make_shared<posting_core>(std::move(post));
}

posting_core::posting_core(std::unique_ptr<callback<amphibus::turn>> post)
    : turn_executor("posting"), post_(std::move(post)) {}

void posting_core::enqueue(std::shared_ptr<mailbox_base> who, bool) {
  post_->call(amphibus::turn(shared_from_this(), std::move(who)));
}

void posting_core::run(std::shared_ptr<mailbox_base> who) noexcept {
  turn_executor::turn now = begin(std::move(who));
  const std::size_t handled = now.who->run();
  finish(std::move(now), handled);
}

void posting_core::watch(mailbox_base& who, base::time_point deadline) {
  timer_desk& timers = who.core().timers();
  {
    const std::lock_guard lock(asked_mutex_);
    if (!asked_.add(deadline)) return;
  }
  try {
    timers.start();
  } catch (const std::system_error&) {  // no thread: room alone brings it on
    return;
  }
  timers.tell(std::weak_ptr<timed>(std::shared_ptr<timed>(shared_from_this(), this)), deadline);
}

void posting_core::time_has_come(base::time_point when) noexcept {
  {
    const std::lock_guard lock(asked_mutex_);
    asked_.remove(when);
  }
  poke();
}

}  // namespace detail
}  // namespace amphibus
