#include "received_frame.hpp"

#include <cstdlib>
#include <utility>

namespace amphibus::zeromq {
namespace {

constexpr std::size_t large_min_bytes = std::size_t{128} << 10U;  // what glibc maps on its own, until it learns
constexpr std::size_t kept_bytes = std::size_t{16} << 20U;

/// libzmq allocates every frame anew, and glibc gives the memory of large ones back to the system as soon as they are
/// freed, to be mapped again page by page: a third of a receiver's time. It learns from a block of its own mapping that
/// is freed (mallopt(3), M_MMAP_THRESHOLD) to keep up to twice that size at the end of each heap; it learns nothing
/// where the program or its environment chose.
void teach_to_keep_memory() noexcept {
  [[maybe_unused]] static const bool once = [] {
    void* volatile block = std::malloc(kept_bytes);  // never touched; volatile, or the pair is optimised away
    std::free(block);
    return true;
  }();
}

}  // namespace

std::size_t received_frame::fill(zmq::message_t body) {
  if (body.size() >= large_min_bytes) teach_to_keep_memory();
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
