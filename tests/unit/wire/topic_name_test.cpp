#include <amphibus/wire/topic_name.hpp>

#include <catch2/catch.hpp>

#include <string>

namespace wire = amphibus::wire;
using wire::topic_fault;

TEST_CASE("topic_name: names of the grammar are accepted up to its limits", "[wire]") {
  CHECK(wire::check_topic_name("a").ok());
  CHECK(wire::check_topic_name("shop.orders-2.placed_x").ok());
  CHECK(wire::check_topic_name(std::string(200, 'a')).ok());
  CHECK(wire::check_topic_name("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16").ok());
}

TEST_CASE("topic_name: each broken rule is named with its position", "[wire]") {
  const auto fault = [](std::string_view name) { return wire::check_topic_name(name).fault; };
  CHECK(fault("") == topic_fault::empty);
  CHECK(fault(std::string(201, 'a')) == topic_fault::too_long);
  CHECK(fault("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17") == topic_fault::too_many_tokens);
  CHECK(fault(".") == topic_fault::empty_token);
  CHECK(fault("a..b") == topic_fault::empty_token);
  CHECK(fault("a.") == topic_fault::empty_token);
  CHECK(fault("a b") == topic_fault::bad_character);
  CHECK(fault("a.*") == topic_fault::bad_character);
  CHECK(fault(std::string_view("a\0b", 3)) == topic_fault::bad_character);
  CHECK(wire::check_topic_name("ab.c d").position == 4);
}

TEST_CASE("topic_name: wildcards are tokens of their own and '>' comes last", "[wire]") {
  CHECK(wire::check_topic_pattern("shop.*.placed").ok());
  CHECK(wire::check_topic_pattern(">").ok());
  CHECK(wire::check_topic_pattern("a.>.b").fault == topic_fault::misplaced_wildcard);
  CHECK(wire::check_topic_pattern("a*").fault == topic_fault::bad_character);
  CHECK(wire::check_topic_pattern("*a").fault == topic_fault::misplaced_wildcard);
}

TEST_CASE("topic_name: patterns match as NATS does", "[wire]") {
  CHECK(wire::topic_matches("foo.>", "foo.bar.baz"));
  CHECK_FALSE(wire::topic_matches("foo.>", "foo"));
  CHECK(wire::topic_matches("*.bar", "foo.bar"));
  CHECK_FALSE(wire::topic_matches("*", "foo.bar"));
  CHECK_FALSE(wire::topic_matches("foo", "foobar"));
  CHECK(wire::topic_matches(">", "x"));
}

TEST_CASE("topic_name: the error shows the escaped text, the position and the limits", "[wire]") {
  const auto why = wire::topic_error("a\x1b[1m", wire::check_topic_name("a\x1b[1m"));
  CHECK(why.code() == amphibus::error_code::bad_topic);
  CHECK_THAT(why.what(), Catch::Contains("a\\x1b[1m") && Catch::Contains("at byte 1") && Catch::Contains("200 bytes"));
}
