#pragma once

#include <string>

namespace combinations {

/// Every cell with its outcome, in Markdown.
std::string table();

}  // namespace combinations
