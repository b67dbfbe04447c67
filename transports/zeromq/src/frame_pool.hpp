#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <zmq.hpp>

#include <amphibus/wire/byte_writer.hpp>

namespace amphibus::zeromq {

/// Buffers of large frames: libzmq sends from them without a copy and gives them back from its own thread.
///
/// Bound: keeps at most 16 free buffers. Thread: safe. Lifetime: shared by every frame on its way, which may outlive us.
class frame_pool : public std::enable_shared_from_this<frame_pool> {
 public:
  /// A buffer with memory in it, or an empty one.
  [[nodiscard]] wire::byte_writer take();
  /// A frame of exactly the bytes in `content`, which it owns.
  [[nodiscard]] zmq::message_t frame_of(wire::byte_writer content);

 private:
  static constexpr std::size_t free_max = 16;
  struct travelling {
    wire::byte_writer content;
    std::shared_ptr<frame_pool> home;
  };

  void put_back(wire::byte_writer content) noexcept;

  std::mutex mutex_;
  std::vector<wire::byte_writer> free_;
};

}  // namespace amphibus::zeromq
