#include "frame_pool.hpp"

#include <utility>

#include <amphibus/base/tsan.hpp>

namespace amphibus::zeromq {

bool frame_pool::has_room() {
  const std::lock_guard lock(mutex_);
  wants_room_ = travelling_bytes_ >= travelling_max_bytes_;
  return !wants_room_;
}

void frame_pool::forget_user() {
  const std::lock_guard lock(mutex_);
  on_room_ = nullptr;
}

wire::byte_writer frame_pool::take() {
  const std::lock_guard lock(mutex_);
  free_.reserve(free_max);  // so that put_back() never allocates
  if (free_.empty()) return {};
  wire::byte_writer out = std::move(free_.back());
  free_.pop_back();
  return out;
}

zmq::message_t frame_pool::frame_of(wire::byte_writer content) {
  std::byte* const data = content.data();
  const std::size_t size = content.size();
  {
    const std::lock_guard lock(mutex_);
    travelling_.emplace(data, std::move(content));
    travelling_bytes_ += size;
    self_ = shared_from_this();
  }
  base::tsan_given(this);
  return {data, size, [](void* sent, void* pool) { static_cast<frame_pool*>(pool)->put_back(sent); }, this};
}

void frame_pool::put_back(const void* data) noexcept {
  base::tsan_taken(this);
  std::shared_ptr<frame_pool> last;  // outlives the lock
  const std::lock_guard lock(mutex_);
  auto arrived = travelling_.extract(data);
  if (travelling_.empty()) last = std::move(self_);
  travelling_bytes_ -= arrived.mapped().size();
  if (wants_room_ && travelling_bytes_ <= travelling_max_bytes_ / 2) {
    wants_room_ = false;
    if (on_room_) on_room_();
  }
  if (free_.size() == free_.capacity()) return;
  arrived.mapped().clear();
  free_.push_back(std::move(arrived.mapped()));
}

}  // namespace amphibus::zeromq
