#pragma once

#include <vector>

#include <amphibus/testing/conformance.hpp>

namespace amphibus::testing {

using promise = amphibus::transport::capabilities;
using case_list = std::vector<conformance_case>;

case_list content_cases();
case_list delivery_cases();
case_list slow_reader_cases();
case_list joining_cases();
case_list group_cases();
case_list retention_cases();
case_list coroutine_cases();
case_list handler_cases();
case_list ending_cases();
case_list publishing_cases();
case_list many_topics_cases();
case_list pattern_cases();

}  // namespace amphibus::testing
