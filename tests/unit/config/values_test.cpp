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

TEST_CASE("parse_retain: what the constants say, and nothing else", "[config]") {
  const auto reads_as = [](const char* text, std::size_t per_key, std::size_t messages_max) {
    const auto got = parse_retain(text);
    return got && got->per_key == per_key && got->messages_max == messages_max;
  };
  CHECK(reads_as("nothing", 0, 65'536));
  CHECK(reads_as("last_value", 1, 65'536));
  CHECK(reads_as("last_value(100)", 1, 100));
  CHECK(reads_as("history(10)", 10, 65'536));
  CHECK(reads_as("history(10, 1000)", 10, 1'000));
  CHECK(reads_as("history(10,10)", 10, 10));
  for (const char* text :
       {"", "last", "last_value()", "last_value(0)", "last_value(1, 2)", "history", "history()", "history(0)",
        "history(65537)", "history(10, 9)", "history(10, 16777217)", "history(10, 20, 30)", "history(10,)",
        "history( 10)", "history(-1)", "history(10) ", "history(10", "history(99999999999999999999)", "history(1;2)"}) {
    INFO(text);
    CHECK_FALSE(parse_retain(text));
  }
  for (const char* text : {"nothing", "last_value", "last_value(100)", "history(10)", "history(10, 1000)"}) {
    CHECK(print_retain(*parse_retain(text)) == text);
  }
}
