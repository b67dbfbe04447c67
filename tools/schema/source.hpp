#pragma once

#include <string>
#include <string_view>

#include "model.hpp"

namespace amphibus::schema {

/// The line (1-based) of a schema's text in which `member` of `of` is declared, or `of` itself where `member` is empty;
/// 0: not found. A search, not a parser: binary schemas know no lines, and flatc has accepted the text before.
int line_of(std::string_view text, const definition& of, const std::string& member);

}  // namespace amphibus::schema
