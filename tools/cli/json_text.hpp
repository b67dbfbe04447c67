#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace amphibus::cli {

/// `text` as a JSON string with its quotes. ASCII only: control characters, everything beyond ASCII and what is no
/// UTF-8 is escaped, so that bytes from outside cannot steer a terminal.
std::string json_string(std::string_view text);

/// Lower-case hex of at most `limit` bytes.
std::string hex_text(std::span<const std::byte> bytes, std::size_t limit);

}  // namespace amphibus::cli
