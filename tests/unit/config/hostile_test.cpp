#include <amphibus/config/config.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "config/toml_scan.hpp"
#include "support/folder.hpp"

using namespace amphibus;
using namespace amphibus::config;
using Catch::Contains;

namespace {

std::string errors_of(const loaded& from) {
  std::string out;
  for (const auto& each : from.errors) out += std::string(each.what()) + "\n";
  return out;
}

std::string errors_of(const std::string& text) { return errors_of(load_text(text, "f.toml", {{}, {"zeromq"}})); }

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (; times != 0; --times) out += text;
  return out;
}

}  // namespace

TEST_CASE("load: dotted keys without end are refused with their position", "[config]") {
  const std::string deep = repeated("a.", 500'000) + "a";
  CHECK_THAT(errors_of("[limits]\n" + deep + " = 1\n"),
             Contains("f.toml:2:17: AMB-E0202: a key has more than 8 parts"));
  CHECK_THAT(errors_of("[" + deep + "]\n"), Contains("f.toml:1:18: AMB-E0202"));
  CHECK_THAT(errors_of("[[" + deep + "]]\n"), Contains("f.toml:1:19: AMB-E0202"));
  CHECK_THAT(errors_of("x = {" + deep + " = 1}\n"), Contains("f.toml:1:22: AMB-E0202"));
}

TEST_CASE("load: nested values without end are refused with their position", "[config]") {
  for (const char* each : {"[", "{a=", "[{a="}) {
    INFO(each);
    CHECK_THAT(errors_of("x = " + repeated(each, 200'000)),
               Contains("f.toml:1:") && Contains("maximum nested value depth"));
  }
}

TEST_CASE("load: a malformed table header is refused with its line", "[config]") {
  CHECK_THAT(errors_of("[limits]\nready_deadline = \"1s\"\n[[[\n[limits]\n"), Contains("f.toml:3: AMB-E0202"));
  CHECK_THAT(errors_of("[[["), Contains("f.toml:1: AMB-E0202"));
}

TEST_CASE("load: text of a megabyte in a key or value is cut in the error and costs no quadratic time", "[config]") {
  const std::string long_word(1'000'000, 'k');
  const auto key = errors_of("[limits]\n" + long_word + " = 1\n");
  CHECK_THAT(key, Contains("f.toml:2:1: AMB-E0203"));
  CHECK(key.size() < 1000);
  CHECK(errors_of("[process.a]\nendpoint = \"" + long_word + "\"\n").size() < 1000);
  CHECK_THAT(errors_of(std::string((1U << 20U) + 1, '\n')), Contains("AMB-E0201") && Contains("larger than 1 MiB"));
}

TEST_CASE("load: values of another type are refused with what is allowed", "[config]") {
  CHECK_THAT(errors_of("[limits]\npeer_stall_max = nan\n"),
             Contains("f.toml:2:18: AMB-E0204") && Contains("from 1ms to 1h"));
  CHECK_THAT(errors_of("[limits]\npeer_stall_max = 5\n"), Contains("wrong type") && Contains("500ms"));
  CHECK_THAT(errors_of("[limits]\nmessage_size_max_bytes = -1\n"), Contains("is '-1'") && Contains("64 to 1GiB"));
  CHECK_THAT(errors_of("[limits]\nmessage_size_max_bytes = 2147483648\n"), Contains("AMB-E0204"));
  CHECK_THAT(errors_of("[limits]\nmessage_size_max_bytes = 1e6\n"), Contains("wrong type"));
  CHECK_THAT(errors_of("[limits]\nready_deadline = \"0s\"\n"), Contains("is '0s'"));
  const auto route = errors_of("[[route]]\ntopic = 3\ntransport = true\n");
  CHECK_THAT(route, Contains("f.toml:2:9") && Contains("route.0.topic has the wrong type"));
  CHECK_THAT(route, Contains("f.toml:3:13") && !Contains("has no"));
}

TEST_CASE("load: a refused value is not called missing as well", "[config]") {
  const auto text = errors_of(
      "[process.a]\nendpoint = \"x\"\n[process.b]\nendpoint = \"tcp://h:1\"\n"
      "[[route]]\ntopic = \"a..b\"\ntransport = \"zeromq\"\n");
  CHECK_THAT(text, Contains("f.toml:2:12") && Contains("f.toml:6:9") && !Contains("has no"));
}

TEST_CASE("find_deep_key: dots in strings, comments and numbers are no parts", "[config]") {
  CHECK_FALSE(find_deep_key("# a.b.c.d\nx = \"a.b.c.d\" # a.b.c.d\ny = 'a.b.c.d'\n", 2));
  CHECK_FALSE(find_deep_key("x = \"\"\"a.\"b.\\\"\"\"c.d\"\"\"\"\"\ny = '''a.'b.''c.d'''\n", 2));
  CHECK_FALSE(find_deep_key("\"a.b.c.d\".e = 1.5\nz = [1.5, 2.5, 3.5]\n", 2));
  CHECK(find_deep_key("x = \"a\\\"\"\na.b.c = 1\n", 2).has_value());
  CHECK(find_deep_key("x = ''\nb = '\\'\na.b.c = 1\n", 2).has_value());
  const auto found = find_deep_key("\xc3\xa4 = 1\n\"\xc3\xa4\" . b . c = 1\n", 2);
  REQUIRE(found.has_value());
  CHECK(found->line == 2);
  CHECK(found->column == 10);
}

TEST_CASE("config: characters beyond ASCII belong in strings and comments", "[config]") {
  // toml++ 3.3 meets undefined behaviour here; found by fuzzing.
  CHECK_THAT(errors_of("x=  [ \xcb\x84\xd8\x80[process.front]\n"),
             Contains("f.toml:1:7") && Contains("outside of quotes"));
  CHECK_THAT(errors_of("\n\xc3\xa4 = 1\n"), Contains("f.toml:2:1"));
  CHECK_FALSE(
      find_stray_character("\xef\xbb\xbf# \xc3\xa4\nx = \"\xc3\xa4\" # \xc3\xa4\n'\xc3\xa4' = '''\n\xc3\xa4'''\ny = "
                           "\"\"\"\xc3\xa4\"\"\"\n"));
  CHECK(find_stray_character("x = \"a\" \xc3\xa4").has_value());
  // Not a string: to the parser the quote belongs to a token that began before it.
  CHECK(find_stray_character("x = +\"\xc3\xa4\"").has_value());
  CHECK_FALSE(find_stray_character("a.\"\xc3\xa4\" = { 'b' = [ '\xc3\xa4', # c\n '\xc3\xa4' ] }").has_value());
  CHECK(find_stray_character("x = 1 \xef\xbb\xbf").has_value());
}

TEST_CASE("find_deep_key: unfinished strings end at the end of the text", "[config]") {
  for (const char* each : {"\"", "'", "\"\"\"", "'''", "\"\\", "\"\"\"\\", "#", "'''a''"})
    CHECK_FALSE(find_deep_key(each, 1));
}

TEST_CASE("load_file: what is no regular readable file is named with the reason, without waiting", "[config]") {
  const support::folder folder;
  const std::string fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THAT(errors_of(load_file(fifo, {})), Contains("AMB-E0201") && Contains("not a regular file"));
  const std::string loop = folder.path() / "loop";
  std::filesystem::create_symlink(loop, loop);
  CHECK_THAT(errors_of(load_file(loop, {})), Contains("AMB-E0201") && Contains("symbolic links"));
  CHECK_THAT(errors_of(load_file(std::string(5000, 'x'), {})), Contains("AMB-E0201") && Contains("too long"));
  CHECK_THAT(errors_of(load_file("", {})), Contains("AMB-E0201"));
}

TEST_CASE("load_file: an empty file is fine, one byte over the limit is not", "[config]") {
  const support::folder folder;
  const std::string path = folder.path() / "f.toml";
  std::ofstream(path).close();
  CHECK(load_file(path, {}).errors.empty());
  std::ofstream(path) << std::string(1U << 20U, '\n');
  CHECK(load_file(path, {}).errors.empty());
  std::ofstream(path) << std::string((1U << 20U) + 1, '\n');
  CHECK_THAT(errors_of(load_file(path, {})), Contains("larger than 1 MiB"));
}

TEST_CASE("load: names of processes up to 100 bytes travel, longer ones are refused", "[config]") {
  const auto of = [](std::size_t size) {
    return errors_of("[process." + std::string(size, 'a') + "]\nmodules = []\n");
  };
  CHECK(of(99).empty());
  CHECK(of(100).empty());
  CHECK_THAT(of(101), Contains("f.toml:1:1: AMB-E0204") && Contains("longer than 100 bytes"));
}

TEST_CASE("load: an endpoint without scheme or with control characters is refused", "[config]") {
  for (const char* const each :
       {"", "tcp:/x", "://x", "tcp://", "127.0.0.1:1", "ipc:///tmp/a b", "ipc:///tmp/\\u001b[2J"}) {
    INFO(each);
    const auto text = errors_of("[process.a]\nendpoint = \"" + std::string(each) + "\"\n");
    CHECK_THAT(text, Contains("f.toml:2:12: AMB-E0204") && Contains("tcp://HOST:PORT"));
    CHECK(text.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("load: whatever a file holds, its errors and descriptions are safe to print", "[config]") {
  const std::string evil = "\\u001b[2J\\u202e\\n";
  const auto text =
      errors_of("\"" + evil + "\" = 1\n[process.\"" + evil + "\"]\nmodules = [\"" + evil + "\"]\nendpoint = \"" + evil +
                "\"\n[[route]]\ntopic = \"" + evil + "\"\ntransport = \"" + evil + "\"\nlevel = \"" + evil + "\"\n");
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  CHECK_THAT(text, Contains("\\x1b[2J"));
  const auto got = load_text("[process.a]\nmodules = [\"" + evil + "\"]\n", "f\x1b.toml", {{}, {}}, {},
                             {"limits.ready_deadline=2s"});
  REQUIRE(got.errors.empty());
  const auto described = describe(got.value);
  CHECK(described.find('\x1b') == std::string::npos);
  CHECK_THAT(described, Contains("f\\x1b.toml:2"));
}

TEST_CASE("load: a list of names in an error is cut where nobody reads on, a description is not", "[config]") {
  std::string file;
  std::string modules;
  for (int i = 0; i != 300; ++i) {
    file += "[process.p" + std::to_string(i) + "]\n";
    modules += "\"module-" + std::to_string(i) + "\", ";
  }
  const auto chosen = choose_process(load_text(file, "f.toml", {}).value, "nobody");
  REQUIRE_FALSE(chosen);
  CHECK_THAT(chosen.error().what(), Contains("p0, p1") && Contains("300 in all") && !Contains("p299"));
  const auto got = load_text("[process.a]\nmodules = [" + modules + "]\n", "f.toml", {});
  REQUIRE(got.errors.empty());
  CHECK_THAT(describe(got.value), Contains("module-0") && Contains("module-299"));
}
