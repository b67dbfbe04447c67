#include "json_text.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace amphibus::cli;

TEST_CASE("json text: plain text is quoted, quotes and backslashes are escaped", "[tools]") {
  CHECK(json_string("") == R"("")");
  CHECK(json_string("a b ~") == R"("a b ~")");
  CHECK(json_string(R"(say "\")") == R"("say \"\\\"")");
}

TEST_CASE("json text: what could steer a terminal is escaped", "[tools]") {
  CHECK(json_string("\x1b[2J") == R"("\u001b[2J")");
  CHECK(json_string(std::string_view("\0\x7f\n", 3)) == R"("\u0000\u007f\u000a")");
  CHECK(json_string("\xc2\x9b") == R"("\u009b")");      // the C1 form of escape [
  CHECK(json_string("\xe2\x80\xae") == R"("\u202e")");  // right-to-left override
  CHECK(json_string("gr\xc3\xbc\xc3\x9f") == R"("gr\u00fc\u00df")");
  CHECK(json_string("\xf0\x9f\x9a\xa2") == R"("\ud83d\udea2")");
}

TEST_CASE("json text: what is no UTF-8 becomes the replacement character, byte by byte", "[tools]") {
  CHECK(json_string("\xff") == R"("\ufffd")");
  CHECK(json_string("\xc3") == R"("\ufffd")");                      // cut
  CHECK(json_string("\xc0\xaf") == R"("\ufffd\ufffd")");            // longer than it need be
  CHECK(json_string("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");  // half of a pair
  CHECK(json_string("\xf5\x80\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
  CHECK(json_string("\xc3(") == R"("\ufffd(")");
}

TEST_CASE("hex text: up to the limit, and not beyond", "[tools]") {
  const std::array<std::byte, 3> bytes{std::byte{0x00}, std::byte{0xa5}, std::byte{0xff}};
  CHECK(hex_text(bytes, 4) == "00a5ff");
  CHECK(hex_text(bytes, 3) == "00a5ff");
  CHECK(hex_text(bytes, 2) == "00a5");
}
