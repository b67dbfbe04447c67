#include "frame_pool.hpp"

#include <utility>

namespace amphibus::zeromq {

wire::byte_writer frame_pool::take() {
  const std::lock_guard lock(mutex_);
  free_.reserve(free_max);  // so that put_back() never allocates
  if (free_.empty()) return {};
  wire::byte_writer out = std::move(free_.back());
  free_.pop_back();
  return out;
}

zmq::message_t frame_pool::frame_of(wire::byte_writer content) {
  auto owned = std::make_unique<travelling>(travelling{std::move(content), shared_from_this()});
  const auto bytes = owned->content.bytes();
  zmq::message_t out(
      owned->content.data(), bytes.size(),
      [](void*, void* hint) {
        const std::unique_ptr<travelling> arrived(static_cast<travelling*>(hint));
        arrived->home->put_back(std::move(arrived->content));
      },
      owned.get());
  static_cast<void>(owned.release());  // libzmq's now, until it calls the function above
  return out;
}

void frame_pool::put_back(wire::byte_writer content) noexcept {
  content.clear();
  const std::lock_guard lock(mutex_);
  if (free_.size() < free_.capacity()) free_.push_back(std::move(content));
}

}  // namespace amphibus::zeromq
