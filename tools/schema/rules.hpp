#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"

namespace amphibus::schema {

/// Every way in which a schema can stop to understand its older self. The number never changes its meaning.
enum class rule : unsigned char {
  table_removed = 1,
  kind_changed = 2,
  major_lowered = 3,
  topic_changed = 4,
  root_changed = 5,
  identifier_changed = 6,
  field_removed = 7,
  field_renamed = 8,
  field_moved = 9,
  field_type = 10,
  field_default = 11,
  field_required = 12,
  field_key = 13,
  struct_layout = 14,
  enum_underlying = 15,
  enum_value_removed = 16,
  enum_value_renamed = 17,
  enum_value_moved = 18,
  union_member_removed = 19,
  union_member_renamed = 20,
  union_member_moved = 21,
};
inline constexpr std::size_t rule_count = 21;

/// `AMB-S07 field_removed`.
std::string name_of(rule which);
/// What goes wrong between the old and the new program.
std::string_view why(rule which) noexcept;

/// One definition or member that an older program would misread.
struct finding {
  rule broken{};
  std::string definition;  ///< full name; of a file: its root table
  std::string member;      ///< field, value or union member as the lock has it; empty: the definition itself
  std::string before;      ///< the line of the lock
  std::string now;         ///< the line as it would be; empty: not there any more
  std::string now_member;  ///< the member's name now; empty: not there any more
  /// The tables whose messages contain it and that still have the locked major, with the least major they need; 0: the
  /// table is gone.
  std::vector<std::pair<std::string, unsigned>> needs;
};

/// Compares what was promised with what would be built.
///
/// Additions that both sides survive are no finding: a field with a new id that is not required, a value of an enum, a
/// member of a union, a definition, a topic or root_type where there was none; neither is `deprecated`. A change that
/// every table reaching it answers with a higher major is none either.
/// Returns: the findings, by definition.
std::vector<finding> judge(const model& locked, const model& now);

}  // namespace amphibus::schema
