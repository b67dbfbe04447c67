#pragma once

#include <stdexcept>
#include <string>
#include <utility>

/// FlatBuffers schemas as Amphibus sees them: what they define, how that may change, and what generated code is made
/// of. A library of the tools; it does not need the library of messages, so that a change there regenerates nothing.
namespace amphibus::schema {

/// Input that cannot be used: what() says where, what and, on a second line, how to mend it.
class problem : public std::runtime_error {
 public:
  problem(const std::string& where, const std::string& text, const std::string& mend)
      : std::runtime_error((where.empty() ? "" : where + ": ") + text + "\n  mend: " + mend) {}
};

}  // namespace amphibus::schema
