#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model.hpp"

namespace amphibus::schema {

/// The promised schemas as text, docs/schemas.md shows it: sorted, one line per definition and member, so that a review
/// sees what a change promises.
std::string lock_text(const model& of);

/// A lock that was read. Lines are 1-based.
struct lock {
  std::string path;
  model content;
  std::map<std::string, int> lines;  ///< by full name of a definition, or `shop.Order.id` of a member
};

/// Throws: problem with the line, if it is not what lock_text() writes.
lock parse_lock(std::string_view text, const std::string& path);

/// Throws: problem, also where the file does not exist: a check against nothing would say yes to everything.
lock read_lock(const std::string& path);

/// What `now` has beyond or instead of `locked`, line by line: `+ shop.Order: 3 note string`, `- …`.
std::vector<std::string> difference(const model& locked, const model& now);

}  // namespace amphibus::schema
