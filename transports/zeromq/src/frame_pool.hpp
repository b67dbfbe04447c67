#pragma once

#include <functional>
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
/// Bound: keeps at most 16 free buffers; what travels is its user's to bound, who asks has_room() and is told. Thread:
/// safe. Lifetime: stays alive by itself until the last frame is back.
class frame_pool : public std::enable_shared_from_this<frame_pool> {
 public:
  /// `on_room`: see has_room(); called by whoever gives a frame back, not beyond forget_user().
  frame_pool(std::size_t travelling_max_bytes, std::function<void()> on_room)
      : travelling_max_bytes_(travelling_max_bytes), on_room_(std::move(on_room)) {}
  /// Whether less than the bound travels. If not, `on_room` is called once when half of it is back.
  [[nodiscard]] bool has_room();
  void forget_user();
  /// A buffer with memory in it, or an empty one.
  [[nodiscard]] wire::byte_writer take();
  /// A frame of exactly the bytes in `content`.
  [[nodiscard]] zmq::message_t frame_of(wire::byte_writer content);

 private:
  static constexpr std::size_t free_max = 16;

  void put_back(const void* data) noexcept;

  const std::size_t travelling_max_bytes_;
  std::mutex mutex_;
  std::function<void()> on_room_;  // null: nobody asks any more
  bool wants_room_ = false;
  std::size_t travelling_bytes_ = 0;
  std::vector<wire::byte_writer> free_;
  std::unordered_map<const void*, wire::byte_writer> travelling_;  // by where the bytes begin
  std::shared_ptr<frame_pool> self_;                               // while anything travels
};

}  // namespace amphibus::zeromq
