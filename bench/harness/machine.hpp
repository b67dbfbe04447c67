#pragma once

#include <string>

namespace bench {

/// What decides the figures beside the code: processor, cores, governor, kernel, compiler, flags, commit, date.
std::string machine_json();

/// As a JSON string.
std::string quoted(const std::string& text);

}  // namespace bench
