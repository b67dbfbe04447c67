#include <amphibus/base/barrier.hpp>
#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/base/fork_word.hpp>
#include <amphibus/base/ids.hpp>
#include <amphibus/base/words.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <numeric>
#include <set>
#include <utility>

using namespace amphibus;

namespace {

template <std::size_t Size>
bool survives_the_copy() {
  std::array<unsigned char, Size> original{};
  std::iota(original.begin(), original.end(), static_cast<unsigned char>(1));
  const base::words<Size> packed(original);
  const base::words<Size> copied(packed);
  base::words<Size> assigned;
  assigned = copied;
  return std::memcmp(assigned.data(), original.data(), Size) == 0;
}

}  // namespace

TEST_CASE("words: every size from 1 to 48 bytes comes through", "[base]") {
  const bool all = []<std::size_t... I>(std::index_sequence<I...>) { return (survives_the_copy<I + 1>() && ...); }
  (std::make_index_sequence<48>());
  CHECK(all);
}

TEST_CASE("words: what the value does not fill is zero", "[base]") {
  const base::words<24> packed(std::uint8_t{7});
  std::array<unsigned char, 24> seen{};
  std::memcpy(seen.data(), packed.data(), seen.size());
  CHECK(seen[0] == 7);
  CHECK(std::accumulate(seen.begin() + 1, seen.end(), 0) == 0);
}

TEST_CASE("ids: incarnations differ and are never 0", "[base]") {
  std::set<std::uint64_t> seen;
  for (int i = 0; i != 1000; ++i) seen.insert(base::random_nonzero());
  CHECK(seen.size() == 1000);
  CHECK_FALSE(seen.contains(0));
}

TEST_CASE("fork_word: it reads 0 in a child and keeps its value in the parent", "[base]") {
  const base::fork_word word;
  (*word).store(41);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(word.in_child_of_fork() ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK((*word).load() == 41);
  CHECK_FALSE(word.in_child_of_fork());
}

TEST_CASE("error: what() is position, code, text and mend", "[base]") {
  const error full(error_code::config_unknown_key, "unknown key 'proces'", "did you mean 'process'?",
                   {"shop.toml", 3, 1});
  CHECK(std::string(full.what()) == "shop.toml:3:1: AMB-E0203: unknown key 'proces'\n  mend: did you mean 'process'?");
}

TEST_CASE("error: a place from outside is escaped in what(), and where() keeps it", "[base]") {
  const std::string evil = "a\x1b[2J\nb.toml";
  const error full(error_code::config_syntax, "not TOML", "mend it", {evil, 3, 1});
  CHECK(std::string(full.what()) == "a\\x1b[2J\\x0ab.toml:3:1: AMB-E0202: not TOML\n  mend: mend it");
  CHECK(full.where().file == evil);
}

TEST_CASE("escaped: what moves a cursor, forges a line or is read backwards is shown, and the rest is cut", "[base]") {
  CHECK(escaped("plain text, 'quotes'") == "plain text, 'quotes'");
  CHECK(escaped("\x1b[1m\r\n\t\x7f") == "\\x1b[1m\\x0d\\x0a\\x09\\x7f");
  CHECK(escaped("\xe2\x80\xae \xc2\x9b \xff \xc0\xaf") == "\\xe2\\x80\\xae \\xc2\\x9b \\xff \\xc0\\xaf");
  CHECK(escaped(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(escaped("\\x1b") == "\\x5cx1b");  // nobody can write what looks escaped
  CHECK(escaped(std::string(256, 'x')) == std::string(256, 'x'));
  CHECK(escaped(std::string(257, 'x')) == std::string(256, 'x') + "…");
}

TEST_CASE("result: an error is thrown by value() and by nothing else", "[base]") {
  result<int> good = 4;
  CHECK(good.value() == 4);
  result<int> bad = error(error_code::bad_topic, "no", "yes");
  CHECK_FALSE(bad);
  CHECK(bad.error().code() == error_code::bad_topic);
  CHECK_THROWS_AS(bad.value(), error);
}

TEST_CASE("barrier: the mode is one of two and has a name in --describe", "[base]") {
  const auto mode = base::current_barrier_mode();
  CHECK((mode == base::barrier_mode::membarrier || mode == base::barrier_mode::fence));
  base::heavy_barrier();
  base::light_barrier();
}
