#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <zmq.hpp>

#include <amphibus/wire/byte_writer.hpp>

namespace amphibus::zeromq {

/// Buffers of large frames: libzmq sends from them without a copy and gives them back from its own thread.
///
/// The pool owns a buffer also while it travels, so that one mutex orders everything that both threads touch.
/// Bound: keeps at most 16 free buffers. Thread: safe. Lifetime: stays alive by itself until the last frame is back.
class frame_pool : public std::enable_shared_from_this<frame_pool> {
 public:
  /// A buffer with memory in it, or an empty one.
  [[nodiscard]] wire::byte_writer take();
  /// A frame of exactly the bytes in `content`.
  [[nodiscard]] zmq::message_t frame_of(wire::byte_writer content);

 private:
  static constexpr std::size_t free_max = 16;

  void put_back(const void* data) noexcept;

  std::mutex mutex_;
  std::vector<wire::byte_writer> free_;
  std::unordered_map<const void*, wire::byte_writer> travelling_;  // by where the bytes begin
  std::shared_ptr<frame_pool> self_;                               // while anything travels
};

}  // namespace amphibus::zeromq
