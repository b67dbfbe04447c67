#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#pragma GCC visibility push(default)
namespace amphibus::wire {

/// Bytes that live as long as somebody refers to them: a frame as a transport received it, or a message as it was
/// built.
///
/// Where they lie, and what becomes of them, is the derived class's. Thread: safe.
class shared_buffer {
 public:
  shared_buffer(const shared_buffer&) = delete;
  shared_buffer& operator=(const shared_buffer&) = delete;

  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  /// The last one recycles the buffer, on this thread.
  void drop_reference() noexcept {
    // A single holder needs no read-modify-write: nobody else can add a reference.
    // SYNC(buffer.references): pairs with itself: what holders read is read before the bytes are used again.
    if (references_.load(std::memory_order_acquire) == 1 || references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      recycle();
  }
  /// True if only the caller refers to it, so that nobody else can see what it does with the bytes.
  [[nodiscard]] bool is_unique() const noexcept {
    return references_.load(std::memory_order_acquire) == 1;  // SYNC(buffer.references)
  }

 protected:
  shared_buffer() = default;
  ~shared_buffer() = default;
  /// It is in use again, by one.
  void revive() noexcept { references_.store(1, std::memory_order_relaxed); }

 private:
  /// Nobody refers to it any more.
  virtual void recycle() noexcept = 0;

  std::atomic<std::uint32_t> references_{1};
};

/// One reference to a shared_buffer, or none. Thread: confined; copies may go to other threads.
class buffer_reference {
 public:
  buffer_reference() noexcept = default;
  /// Takes over a reference that the caller has.
  explicit buffer_reference(shared_buffer* taken) noexcept : to_(taken) {}
  /// One more.
  explicit buffer_reference(shared_buffer& to) noexcept : to_(&to) { to_->add_reference(); }
  buffer_reference(const buffer_reference& other) noexcept : to_(other.to_) {
    if (to_ != nullptr) to_->add_reference();
  }
  buffer_reference(buffer_reference&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
  buffer_reference& operator=(buffer_reference other) noexcept { return std::swap(to_, other.to_), *this; }
  ~buffer_reference() {
    if (to_ != nullptr) to_->drop_reference();
  }

  [[nodiscard]] shared_buffer* get() const noexcept { return to_; }

 private:
  shared_buffer* to_ = nullptr;
};

}  // namespace amphibus::wire
#pragma GCC visibility pop
