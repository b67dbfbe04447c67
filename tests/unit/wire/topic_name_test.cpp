#include <amphibus/wire/topic_name.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

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

TEST_CASE("topic_name: what other systems reserve and terminals obey is refused where it stands", "[wire]") {
  struct sample {
    std::string name;
    std::size_t position;
  };
  for (const sample& each : std::vector<sample>{{"$JS.API", 0},
                                                {"$SYS.x", 0},
                                                {"a.#", 2},
                                                {"a.>", 2},
                                                {" a", 0},
                                                {"a\t", 1},
                                                {"a\r\n", 1},
                                                {"a\x1b[2J", 1},
                                                {"a\x7f", 1},
                                                {"caf\xc3\xa9", 3},   // NFC
                                                {"cafe\xcc\x81", 4},  // NFD: another name that looks the same
                                                {"a\xe2\x80\xae"
                                                 "b",
                                                 1},  // right to left
                                                {"a\xff", 1}}) {
    INFO(each.name);
    const auto verdict = wire::check_topic_name(each.name);
    CHECK(verdict.fault == topic_fault::bad_character);
    CHECK(verdict.position == each.position);
    const std::string what = wire::topic_error(each.name, verdict).what();
    CHECK(std::all_of(what.begin(), what.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  }
}

TEST_CASE("topic_name: lengths around every limit, and case tells names apart", "[wire]") {
  for (const std::size_t size : {1U, 199U, 200U}) CHECK(wire::check_topic_name(std::string(size, 'a')).ok());
  for (const std::size_t size : {201U, 245U, 246U, 256U, 4096U}) {
    CHECK(wire::check_topic_name(std::string(size, 'a')).fault == topic_fault::too_long);
    CHECK(wire::check_topic_pattern(std::string(size, 'a')).fault == topic_fault::too_long);
  }
  CHECK_FALSE(wire::topic_matches("shop.Orders", "shop.orders"));
}
