#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <amphibus/wire/shared_buffer.hpp>

#pragma GCC visibility push(default)
namespace amphibus::wire {

class buffer_pool;

/// A piece of memory of a buffer_pool, 64-aligned; it goes back there with its last reference.
class alignas(64) pooled_buffer final : public shared_buffer {
 public:
  [[nodiscard]] std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_; }
  /// The buffer whose data() this is.
  [[nodiscard]] static pooled_buffer& of(void* data) noexcept { return static_cast<pooled_buffer*>(data)[-1]; }

 private:
  friend class buffer_pool;
  pooled_buffer(buffer_pool& home, std::size_t capacity) noexcept : home_(&home), capacity_(capacity) {}
  void recycle() noexcept override;

  buffer_pool* const home_;
  const std::size_t capacity_;
  pooled_buffer* next_ = nullptr;  ///< while it is in the pool
};

/// Recycles buffers of sizes that differ: one owner takes, any thread gives back.
///
/// Sizes are powers of two with the buffer's own 64 bytes, from 1 KiB, so that a buffer fits again when messages are
/// about as large as before. Bound: keeps at most twice 16 MiB of free buffers; what comes back beyond it is freed.
/// Thread: take() and retire() by the owner. Lifetime: retire() instead of delete; it lives on until its last buffer is
/// back. Allocates: only while more is in use at once than ever before, or beyond the bound.
class buffer_pool {
 public:
  static constexpr std::size_t free_max_bytes = std::size_t{16} << 20U;

  struct retirer {
    void operator()(buffer_pool* pool) const noexcept { pool->retire(); }
  };
  using owner = std::unique_ptr<buffer_pool, retirer>;

  [[nodiscard]] static owner make() { return owner(new buffer_pool); }
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;

  /// A buffer with room for `size` bytes, at most 4 GiB, and one reference. Throws std::bad_alloc.
  [[nodiscard]] pooled_buffer& take(std::size_t size);
  /// The room of the buffer that take(size) answers.
  [[nodiscard]] static std::size_t capacity_for(std::size_t size) noexcept;
  /// What lies in it, free. Owner.
  [[nodiscard]] std::size_t free_bytes() noexcept;
  /// The owner is done. Buffers still out free themselves.
  void retire() noexcept;

 private:
  friend class pooled_buffer;
  static constexpr unsigned smallest_log2 = 10;
  using lists = std::array<pooled_buffer*, 33 - smallest_log2>;

  buffer_pool() = default;
  ~buffer_pool() = default;
  [[nodiscard]] static std::size_t class_of(std::size_t size) noexcept;
  void collect() noexcept;
  void put_back(pooled_buffer& of) noexcept;
  static void free(pooled_buffer& of) noexcept;

  lists local_{};
  std::size_t local_bytes_ = 0;
  std::int64_t made_ = 0;  // owner: all that were ever allocated, less those it freed
  std::mutex mutex_;
  pooled_buffer* returned_ = nullptr;
  std::size_t returned_bytes_ = 0;
  std::int64_t freed_ = 0;  // by those who gave them back; once retired, less all that are out
  bool retired_ = false;
};

inline void pooled_buffer::recycle() noexcept { home_->put_back(*this); }

}  // namespace amphibus::wire
#pragma GCC visibility pop
