#include "config/parse_values.hpp"

#include <catch2/catch.hpp>

using namespace amphibus::config;
using namespace std::chrono_literals;

TEST_CASE("parse_duration: a number with a unit is exact", "[config]") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("2min") == 2min);
  CHECK(print_duration(1500ms) == "1500ms");
  CHECK(print_duration(10s) == "10s");
}

TEST_CASE("parse_duration: no unit, signs, fractions, rubbish and overflow are refused", "[config]") {
  for (const char* text :
       {"", "5", "-1s", "1.5s", "s", "1 s", "1year", "NaN", "999999999999999999999s", "9223372036854775807h"}) {
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("parse_size: bytes are the default unit, overflow is refused", "[config]") {
  CHECK(parse_size("4096") == 4096U);
  CHECK(parse_size("16MiB") == 16U << 20U);
  CHECK_FALSE(parse_size("16MB"));
  CHECK_FALSE(parse_size("99999999999GiB"));
  CHECK(print_size(1U << 20U) == "1MiB");
}
