#include "received_frame.hpp"

#include <utility>

namespace amphibus::zeromq {

std::size_t received_frame::fill(zmq::message_t body) {
  body_ = std::move(body);
  bytes_ = {body_.data<std::byte>(), body_.size()};
  if (reinterpret_cast<std::uintptr_t>(bytes_.data()) % 8 == 0) return 0;
  aligned_.clear();
  aligned_.append(bytes_);
  body_.rebuild();  // may be a part of a larger buffer
  bytes_ = aligned_.bytes();
  return bytes_.size();
}

void received_frame::recycle() noexcept {
  const auto home = std::exchange(home_, nullptr);  // outlives the frame, which may be deleted by it
  body_.rebuild();
  bytes_ = {};
  home->put_back(*this);
}

frame_handle frame_store::take() {
  std::unique_ptr<received_frame> out;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      out = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!out) out = std::make_unique<received_frame>();
  out->revive();
  out->home_ = shared_from_this();
  return frame_handle(out.release());
}

void frame_store::put_back(received_frame& of) noexcept {
  std::unique_ptr<received_frame> back(&of);  // outlives the lock
  const std::lock_guard lock(mutex_);
  if (free_.size() != free_max) free_.push_back(std::move(back));
}

}  // namespace amphibus::zeromq
