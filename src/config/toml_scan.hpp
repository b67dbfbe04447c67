#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace amphibus::config {

struct text_position {
  int line = 1;    ///< 1-based
  int column = 1;  ///< 1-based, in characters of UTF-8
};

/// The first dotted key or table name of `toml` with more than `parts_max` parts.
///
/// toml++ bounds nested values but not dotted keys, and frees nested tables recursively: a key of 100,000 parts would
/// overflow the stack. Looks at strings and comments only to skip them; what is not TOML is the parser's to refuse.
/// Returns: where the part too many begins; nullopt if there is none.   Allocates: never.
std::optional<text_position> find_deep_key(std::string_view toml, std::size_t parts_max) noexcept;

/// The first character beyond ASCII that stands neither in a string nor in a comment; a byte order mark at the begin
/// may.
///
/// No TOML has one there, but toml++ 3.3 runs into undefined behaviour at some of them.
/// Returns: where it is; nullopt if there is none.   Allocates: never.
std::optional<text_position> find_stray_character(std::string_view toml) noexcept;

}  // namespace amphibus::config
