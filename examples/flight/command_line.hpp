#pragma once

#include <string>

#include "modules.hpp"

namespace flight {

inline constexpr const char* known_settings =
    "--speed real|10x|full, --seconds S (1 to 86400: of the log), --data FILE, --sabotage lose|dup|swap";

/// Reads `name value` into `into`. Returns: false if it is none of known_settings.
bool read_setting(const std::string& name, const std::string& value, settings& into);

}  // namespace flight
