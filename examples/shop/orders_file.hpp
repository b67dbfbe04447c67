#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/error.hpp>

#include "messages.hpp"

namespace shop {

/// `139.12` or `-27.50` as pence, exactly. Returns: false if it is not a number with two decimals.
bool parse_pence(std::string_view text, std::int64_t& into);

/// Reads the rows of online_retail_orders.csv. Returns: the rows, or the first error with file, line and column.
amphibus::result<std::vector<ReceivedT>> read_orders(const std::string& path);
amphibus::result<std::vector<ReceivedT>> parse_orders(std::string_view text, const std::string& name);

}  // namespace shop
