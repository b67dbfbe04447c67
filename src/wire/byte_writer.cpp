#include <amphibus/wire/byte_writer.hpp>

#include <cstring>
#include <utility>

namespace amphibus::wire {

byte_writer::byte_writer(byte_writer&& from) noexcept
    : data_(std::exchange(from.data_, nullptr)),
      size_(std::exchange(from.size_, 0)),
      capacity_(std::exchange(from.capacity_, 0)) {}

byte_writer& byte_writer::operator=(byte_writer&& from) noexcept {
  byte_writer taken(std::move(from));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(capacity_, taken.capacity_);
  return *this;
}

byte_writer::~byte_writer() { delete[] data_; }

std::span<const std::byte> byte_writer::bytes() const noexcept { return {data_, size_}; }

void byte_writer::grow(std::size_t needed) {
  const std::size_t doubled = capacity_ < 512 ? 1024 : capacity_ * 2;
  const std::size_t capacity = needed > doubled ? needed : doubled;
  auto* const larger = new std::byte[capacity];
  if (size_ != 0) std::memcpy(larger, data_, size_);
  delete[] std::exchange(data_, larger);
  capacity_ = capacity;
}

}  // namespace amphibus::wire
