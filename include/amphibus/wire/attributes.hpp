#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include <amphibus/wire/byte_writer.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// One header of a message: text beside the payload, for what is not the handlers' business (tenant, trace …).
/// Thread: const-safe. Lifetime: of what the views refer to.
struct header {
  std::string_view name;   ///< 1 to 255 bytes; UTF-8 by convention
  std::string_view value;  ///< any bytes
};

/// Headers as an argument: `{{"tenant", "acme"}}`, or any contiguous range of header. Thread: const-safe. Lifetime: the
/// call.
///
/// Not a span: its conversions alone made every includer instantiate 390 classes.
class header_list {
 public:
  header_list() = default;
  // NOLINTBEGIN(google-explicit-constructor): reads as .headers = {…}
  header_list(std::initializer_list<header> list) noexcept : first_(std::data(list)), size_(list.size()) {}
  template <class Range>
  requires requires(const Range& range, const header* first, std::size_t size) {
    first = range.data();
    size = range.size();
  }
  header_list(const Range& range) noexcept : first_(range.data()), size_(range.size()) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] const header* begin() const noexcept { return first_; }
  [[nodiscard]] const header* end() const noexcept { return first_ + size_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  const header* first_ = nullptr;
  std::size_t size_ = 0;
};

namespace wire {

inline constexpr std::size_t key_size_max_bytes = 255;
inline constexpr std::size_t header_count_max = 64;
inline constexpr std::size_t attributes_size_max_bytes = std::size_t{16} << 10U;  ///< key and headers together

/// Key and headers as they travel: u16 key size, key, then for each header u16 name size, u16 value size, name, value.
///
/// The same bytes lie beside a message in the process and go over the wire, so nothing is converted on the way.
/// Thread: const-safe. Lifetime: of the bytes.
class attributes_view {
 public:
  attributes_view() = default;
  /// Precondition: check(bytes) == nullptr.
  explicit attributes_view(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  /// Checks bytes from outside against every limit. Returns: what is wrong, or nullptr.
  [[nodiscard]] static const char* check(std::span<const std::byte> bytes) noexcept;
  /// Appends key and headers. Returns: false, with nothing appended, if a limit is exceeded.
  [[nodiscard]] static bool append(std::string_view key, const header_list& headers, byte_writer& to);

  [[nodiscard]] std::string_view key() const noexcept;
  [[nodiscard]] std::size_t header_count() const noexcept;
  /// The header at `position`, in the order in which they were given. Precondition: `position` < header_count().
  [[nodiscard]] header header_at(std::size_t position) const noexcept;
  /// The first header of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace wire
}  // namespace amphibus
#pragma GCC visibility pop
