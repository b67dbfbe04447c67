#include <amphibus/wire/attributes.hpp>
#include <amphibus/wire/envelope.hpp>

#include <algorithm>
#include <cstring>

namespace amphibus::wire {
namespace {

std::uint16_t load_size(std::span<const std::byte> from) noexcept {
  std::uint16_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  return size;
}

std::string_view text(std::span<const std::byte> from, std::size_t at, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(from.data()) + at, size};
}

void append_size(std::size_t size, byte_writer& to) {
  const auto narrow = static_cast<std::uint16_t>(size);
  to.append(&narrow, sizeof narrow);
}

/// What one header takes, or 0 if it does not end within `rest`.
std::size_t header_size(std::span<const std::byte> rest) noexcept {
  if (rest.size() < 4) return 0;
  const std::size_t size = std::size_t{4} + load_size(rest) + load_size(rest.subspan(2));
  return size <= rest.size() ? size : 0;
}

header load_header(std::span<const std::byte> rest) noexcept {
  const std::size_t name = load_size(rest);
  return {text(rest, 4, name), text(rest, 4 + name, load_size(rest.subspan(2)))};
}

std::span<const std::byte> headers_of(std::span<const std::byte> bytes) noexcept {
  return bytes.empty() ? bytes : bytes.subspan(2 + std::size_t{load_size(bytes)});
}

}  // namespace

const char* attributes_view::check(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return nullptr;
  if (bytes.size() > attributes_size_max_bytes) return "key and headers of more than 16 KiB";
  if (bytes.size() < 2 || bytes.size() - 2 < load_size(bytes)) return "a key that ends beyond its attributes";
  if (load_size(bytes) > key_size_max_bytes) return "a key of more than 255 bytes";
  std::size_t count = 0;
  for (auto rest = headers_of(bytes); !rest.empty(); ++count) {
    const std::size_t size = header_size(rest);
    if (size == 0) return "a header that ends beyond its attributes";
    if (load_size(rest) == 0 || load_size(rest) > 255) return "a header whose name is not of 1 to 255 bytes";
    if (count == header_count_max) return "more than 64 headers";
    rest = rest.subspan(size);
  }
  return nullptr;
}

bool attributes_view::append(std::string_view key, const header_list& headers, byte_writer& to) {
  const std::size_t begin = to.size();
  std::size_t size = 2 + key.size();
  bool fits = key.size() <= key_size_max_bytes && headers.size() <= header_count_max;
  for (const header& each : headers) {
    size += 4 + each.name.size() + each.value.size();
    fits = fits && !each.name.empty() && each.name.size() <= 255 && each.value.size() <= attributes_size_max_bytes;
  }
  if (!fits || size > attributes_size_max_bytes) return to.truncate(begin), false;
  append_size(key.size(), to);
  to.append(key.data(), key.size());
  for (const header& each : headers) {
    append_size(each.name.size(), to);
    append_size(each.value.size(), to);
    to.append(each.name.data(), each.name.size());
    to.append(each.value.data(), each.value.size());
  }
  return true;
}

std::string_view attributes_view::key() const noexcept {
  return bytes_.empty() ? std::string_view() : text(bytes_, 2, load_size(bytes_));
}

std::size_t attributes_view::header_count() const noexcept {
  std::size_t count = 0;
  for (auto rest = headers_of(bytes_); !rest.empty(); rest = rest.subspan(header_size(rest))) ++count;
  return count;
}

header attributes_view::header_at(std::size_t position) const noexcept {
  auto rest = headers_of(bytes_);
  for (; position != 0; --position) rest = rest.subspan(header_size(rest));
  return load_header(rest);
}

std::optional<std::string_view> attributes_view::find(std::string_view name) const noexcept {
  for (auto rest = headers_of(bytes_); !rest.empty(); rest = rest.subspan(header_size(rest))) {
    if (const header each = load_header(rest); each.name == name) return each.value;
  }
  return std::nullopt;
}

bool operator==(const envelope& a, const envelope& b) noexcept {
  return a.id == b.id && a.correlation == b.correlation && a.causation == b.causation &&
         a.lost_before == b.lost_before && a.time_left == b.time_left &&
         std::ranges::equal(a.attributes.bytes(), b.attributes.bytes());
}

}  // namespace amphibus::wire
