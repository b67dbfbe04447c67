#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace amphibus::cli {

inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t json_size_max_bytes = std::size_t{1} << 20U;

/// Turns messages of one FlatBuffers type into JSON, by a binary schema that came with them.
///
/// Neither the schema nor the messages are trusted: every read is checked against the end of the bytes, and depth and
/// size of the text are bounded. 64-bit integers are written as they are, NaN and infinities as strings, enumerators by
/// name where the schema knows one. Thread: confined.
class message_json {
 public:
  /// Returns: nullopt where the bytes are no schema or the type is no table of it.
  static std::optional<message_json> open(std::string_view binary_schema, std::string_view type_name);

  /// Returns: nullopt where the bytes do not fit the schema, or the text would exceed a bound.
  [[nodiscard]] std::optional<std::string> text_of(std::span<const std::byte> message) const;

 private:
  struct schema;
  explicit message_json(std::shared_ptr<const schema> of) : schema_(std::move(of)) {}
  std::shared_ptr<const schema> schema_;
};

}  // namespace amphibus::cli
