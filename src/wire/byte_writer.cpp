#include <amphibus/wire/byte_writer.hpp>

#include <cstring>
#include <utility>

#include <amphibus/wire/crc32c.hpp>

namespace amphibus::wire {

byte_writer::byte_writer(byte_writer&& from) noexcept
    : data_(std::exchange(from.data_, nullptr)),
      size_(std::exchange(from.size_, 0)),
      capacity_(std::exchange(from.capacity_, 0)),
      summed_begin_(from.summed_begin_),
      summed_end_(std::exchange(from.summed_end_, 0)),
      summed_crc_(from.summed_crc_) {}

byte_writer& byte_writer::operator=(byte_writer&& from) noexcept {
  byte_writer taken(std::move(from));
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  std::swap(capacity_, taken.capacity_);
  std::swap(summed_begin_, taken.summed_begin_);
  std::swap(summed_end_, taken.summed_end_);
  std::swap(summed_crc_, taken.summed_crc_);
  return *this;
}

byte_writer::~byte_writer() { delete[] data_; }

std::span<const std::byte> byte_writer::bytes() const noexcept { return {data_, size_}; }

std::uint32_t byte_writer::crc() const noexcept {
  if (summed_end_ == 0) return crc32c(bytes());
  const std::uint32_t before = crc32c(bytes().first(summed_begin_));
  const std::uint32_t with = joined_crc32c(before, summed_crc_, summed_end_ - summed_begin_);
  return crc32c(bytes().subspan(summed_end_), with);
}

void byte_writer::append_summed(const void* bytes, std::size_t count) {
  std::byte* const to = extend(count);
  summed_crc_ = copy_with_crc32c(to, {static_cast<const std::byte*>(bytes), count});
  summed_begin_ = size_ - count;
  summed_end_ = size_;
}

void byte_writer::grow(std::size_t needed) {
  const std::size_t doubled = capacity_ < 512 ? 1024 : capacity_ * 2;
  const std::size_t capacity = needed > doubled ? needed : doubled;
  auto* const larger = new std::byte[capacity];
  if (size_ != 0) std::memcpy(larger, data_, size_);
  delete[] std::exchange(data_, larger);
  capacity_ = capacity;
}

}  // namespace amphibus::wire
