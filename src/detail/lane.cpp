#include <amphibus/detail/lane.hpp>

#include <algorithm>
#include <utility>

#include <amphibus/detail/mailbox.hpp>
#include <amphibus/detail/outlet_base.hpp>

namespace amphibus::detail {

void source_state::set_index(std::uint64_t index) noexcept {
  index_ = index;
  if (identity_word::fits_local(index, next_.sequence())) {
    next_ = identity_word::packed(index, next_.sequence());
  } else {
    next_unpacked_ = next_.sequence();
    next_ = packed_end;
  }
}

source::~source() {
  while (!outlets.empty()) {
    if (outlet_base* const who = in_step()) who->leave_step();
    const entry dying = std::move(outlets.back());  // gone from here before it ends
    outlets.pop_back();
  }
}

lane::lane(mailbox_base& of) noexcept : box_(of) {}

lane::~lane() = default;

void lane::make_source() { source_ = std::make_shared<detail::source>(); }

std::vector<source::entry> lane::take_outlets() noexcept {
  return source_ ? std::move(source_->outlets) : std::vector<source::entry>();
}

bus_core& lane::core() noexcept { return box_.core(); }

std::shared_ptr<lane> lane::share() { return {box_.shared_mailbox(), this}; }

base::time_point lane::stall_deadline() const {
  auto earliest = base::time_point::max();
  if (!stalled()) return earliest;
  for (const auto& each : held_at_) earliest = std::min(earliest, each->held_deadline());
  return earliest;
}

bool lane::add_held(const std::shared_ptr<outlet_base>& at) {
  if (held_now() >= held_max) return false;
  if (std::find(held_at_.begin(), held_at_.end(), at) == held_at_.end()) held_at_.push_back(at);
  stop_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool lane::settle() {
  for (const auto& each : held_at_) each->place_held();
  if (stalled()) return false;
  held_at_.clear();
  return true;
}

}  // namespace amphibus::detail
