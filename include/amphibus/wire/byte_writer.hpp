#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#pragma GCC visibility push(default)
namespace amphibus::wire {

/// A growing byte buffer that is reused from message to message: clear() keeps the memory.
///
/// Thread: confined. Allocates: only while it grows towards its largest content so far.
class byte_writer {
 public:
  byte_writer() = default;
  byte_writer(byte_writer&& from) noexcept;
  byte_writer& operator=(byte_writer&& from) noexcept;
  ~byte_writer();

  /// Makes room for `count` more bytes and returns where they begin; the caller fills all of them. Valid until the next
  /// call.
  std::byte* extend(std::size_t count) {
    if (size_ + count > capacity_) grow(size_ + count);
    std::byte* const begin = data_ + size_;
    size_ += count;
    return begin;
  }
  /// Makes room for `count` more bytes in advance, where they are known to come; the content stays as it is.
  void reserve(std::size_t count) {
    if (size_ + count > capacity_) grow(size_ + count);
  }
  void append(const void* bytes, std::size_t count) {
    if (count >= summed_min_bytes) return append_summed(bytes, count);
    if (count != 0) std::memcpy(extend(count), bytes, count);
  }
  void append(std::span<const std::byte> bytes) { append(bytes.data(), bytes.size()); }
  /// Appends zero bytes until the size is a multiple of `alignment` (a power of two).
  void pad(std::size_t alignment) {
    const std::size_t missing = (alignment - size_ % alignment) % alignment;
    if (missing != 0) std::memset(extend(missing), 0, missing);
  }
  /// Writes over what is there. Precondition: at + count <= size().
  void overwrite(std::size_t at, const void* bytes, std::size_t count) noexcept {
    if (at < summed_end_ && at + count > summed_begin_) summed_end_ = 0;
    std::memcpy(data_ + at, bytes, count);
  }
  /// Forgets what was written after `size`. Precondition: size <= size().
  void truncate(std::size_t size) noexcept {
    size_ = size;
    if (summed_end_ > size) summed_end_ = 0;
  }
  void clear() noexcept { truncate(0); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// For changes anywhere in the content, until the next call.
  [[nodiscard]] std::byte* data() noexcept {
    summed_end_ = 0;
    return data_;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept;
  /// CRC-32C of all bytes. Those that one append() copied, if they were many, are not read again: that summed them.
  [[nodiscard]] std::uint32_t crc() const noexcept;

 private:
  static constexpr std::size_t summed_min_bytes = 65'536;  // of fewer, most still are in a cache when they are summed

  void grow(std::size_t needed);
  void append_summed(const void* bytes, std::size_t count);

  std::byte* data_ = nullptr;  // owned; a unique_ptr would cost every includer 200 classes
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  // The CRC of the bytes in between; an end of 0: of none.
  std::size_t summed_begin_ = 0;
  std::size_t summed_end_ = 0;
  std::uint32_t summed_crc_ = 0;
};

}  // namespace amphibus::wire
#pragma GCC visibility pop
