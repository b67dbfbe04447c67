#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <zmq.hpp>

#include <amphibus/wire/byte_writer.hpp>
#include <amphibus/wire/shared_buffer.hpp>

namespace amphibus::zeromq {

class frame_store;

/// A data frame as libzmq received it; a message that somebody keeps keeps all of it.
class received_frame final : public wire::shared_buffer {
 public:
  /// Takes what came in place of what was here. Precondition: is_unique(). Returns: how many bytes had to be copied
  /// once, because libzmq put them where they are not 8-aligned, which it does with frames that came together; else 0.
  std::size_t fill(zmq::message_t body);
  /// What came, 8-aligned.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  friend class frame_store;
  void recycle() noexcept override;

  zmq::message_t body_;
  wire::byte_writer aligned_;  // instead, where body_ is not
  std::span<const std::byte> bytes_;
  std::shared_ptr<frame_store> home_;  // while it is in use
};

/// One reference to a frame that its holder fills.
struct frame_dropper {
  void operator()(received_frame* frame) const noexcept { frame->drop_reference(); }
};
using frame_handle = std::unique_ptr<received_frame, frame_dropper>;

/// Frames of one inbound, recycled when nobody keeps them any more, on whatever thread that is.
///
/// Bound: keeps at most 16 free ones. Thread: safe. Lifetime: stays alive by itself until the last frame is back.
class frame_store : public std::enable_shared_from_this<frame_store> {
 public:
  frame_store() { free_.reserve(free_max); }  // so that put_back() never allocates
  /// An empty frame.
  [[nodiscard]] frame_handle take();

 private:
  friend class received_frame;
  static constexpr std::size_t free_max = 16;

  void put_back(received_frame& of) noexcept;

  std::mutex mutex_;
  std::vector<std::unique_ptr<received_frame>> free_;
};

}  // namespace amphibus::zeromq
