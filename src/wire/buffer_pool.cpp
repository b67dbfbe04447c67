#include <amphibus/wire/buffer_pool.hpp>

#include <bit>
#include <new>
#include <utility>

namespace amphibus::wire {

static_assert(sizeof(pooled_buffer) == 64, "the bytes begin 64-aligned, directly behind the head");

std::size_t buffer_pool::class_of(std::size_t size) noexcept {
  const auto log2 = static_cast<std::size_t>(std::bit_width(size + sizeof(pooled_buffer) - 1));
  return log2 <= smallest_log2 ? 0 : log2 - smallest_log2;
}

std::size_t buffer_pool::capacity_for(std::size_t size) noexcept {
  return (std::size_t{1} << (class_of(size) + smallest_log2)) - sizeof(pooled_buffer);
}

pooled_buffer& buffer_pool::take(std::size_t size) {
  const std::size_t kind = class_of(size);
  if (kind >= local_.size()) throw std::bad_alloc();
  if (local_[kind] == nullptr) collect();
  if (pooled_buffer* const out = local_[kind]) {
    local_[kind] = out->next_;
    local_bytes_ -= out->capacity_;
    out->revive();
    return *out;
  }
  const std::size_t capacity = capacity_for(size);
  void* const memory = ::operator new (sizeof(pooled_buffer) + capacity, std::align_val_t{alignof(pooled_buffer)});
  ++made_;
  return *::new (memory) pooled_buffer(*this, capacity);
}

std::size_t buffer_pool::free_bytes() noexcept {
  const std::lock_guard lock(mutex_);
  return local_bytes_ + returned_bytes_;
}

void buffer_pool::collect() noexcept {
  pooled_buffer* each = nullptr;
  {
    const std::lock_guard lock(mutex_);
    each = std::exchange(returned_, nullptr);
    returned_bytes_ = 0;
  }
  while (each != nullptr) {
    pooled_buffer& one = *std::exchange(each, each->next_);
    if (local_bytes_ + one.capacity_ > free_max_bytes) {
      --made_;
      free(one);
      continue;
    }
    local_bytes_ += one.capacity_;
    pooled_buffer*& list = local_[class_of(one.capacity_)];
    one.next_ = std::exchange(list, &one);
  }
}

void buffer_pool::put_back(pooled_buffer& of) noexcept {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    const bool keep = !retired_ && returned_bytes_ + of.capacity_ <= free_max_bytes;
    if (keep) {
      of.next_ = std::exchange(returned_, &of);
      returned_bytes_ += of.capacity_;
      return;
    }
    last = ++freed_ == 0 && retired_;
  }
  free(of);
  if (last) delete this;
}

void buffer_pool::retire() noexcept {
  collect();
  for (pooled_buffer* list : local_) {
    while (list != nullptr) {
      --made_;
      free(*std::exchange(list, list->next_));
    }
  }
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    // What came back since collect() is freed with the rest of what is out.
    for (; returned_ != nullptr; --made_) free(*std::exchange(returned_, returned_->next_));
    freed_ -= made_;  // from here on it counts up to zero
    retired_ = true;
    last = freed_ == 0;
  }
  if (last) delete this;
}

void buffer_pool::free(pooled_buffer& of) noexcept {
  of.~pooled_buffer();
  ::operator delete (static_cast<void*>(&of), std::align_val_t{alignof(pooled_buffer)});
}

}  // namespace amphibus::wire
