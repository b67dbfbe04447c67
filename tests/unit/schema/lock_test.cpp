#include "lock.hpp"

#include "folder.hpp"
#include "load.hpp"
#include "problem.hpp"

using namespace amphibus;
using Catch::Contains;
using schema_test::folder;

namespace {

const std::string text =
    "amphibus schema lock 1\n# words\nfile a.fbs root A identifier a%20b\n\ntable A major 2\n  0 x int = 1 key\n";

std::string refusal(const std::string& of) {
  try {
    static_cast<void>(schema::parse_lock(of, "schemas.lock"));
  } catch (const schema::problem& why) {
    return why.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("lock: what is written is read", "[schema]") {
  const folder in;
  const auto content = schema::load(in.put("a.fbs", R"(
    attribute "major"; attribute "topic";
    namespace a.b;
    enum E : ulong (bit_flags) { x, y }
    struct S (force_align: 16) { x: double; }
    table One (major: 7, topic: "one.two") { s: S; e: E; f: float = 0.1; t: string (required, key); n: int = null; }
    union U { One, other: One }
    table Two { u: U; old: int (deprecated); }
    root_type Two; file_identifier "% \"x";
  )"))
                           .content;
  const auto lock = schema::parse_lock(schema::lock_text(content), "schemas.lock");
  CHECK(schema::lock_text(lock.content) == schema::lock_text(content));
  CHECK(lock.content.files.at("a.fbs").identifier == "% \"x");
  CHECK(schema::difference(lock.content, content).empty());
}

TEST_CASE("lock: the lines of definitions and members are known", "[schema]") {
  const auto lock = schema::parse_lock(text, "schemas.lock");
  CHECK(lock.lines.at("A") == 5);
  CHECK(lock.lines.at("A.x") == 6);
  CHECK(lock.content.files.at("a.fbs").identifier == "a b");
}

TEST_CASE("lock: what is no lock is refused with its line", "[schema]") {
  const std::string first = "amphibus schema lock 1\n";
  CHECK(refusal(text) == "accepted");
  CHECK_THAT(refusal(""), Contains("schemas.lock"));
  CHECK_THAT(refusal("amphibus schema lock 2\n"), Contains("schemas.lock:1"));
  CHECK_THAT(refusal(first + "  0 x int\n"), Contains("schemas.lock:2") && Contains("without definition"));
  CHECK_THAT(refusal(first + "thing A\n"), Contains("schemas.lock:2") && Contains("'thing'"));
  CHECK_THAT(refusal(first + "table A\n"), Contains("without major"));
  CHECK_THAT(refusal(first + "table A major x\n"), Contains("no number"));
  CHECK_THAT(refusal(first + "table A major 1 topic\n"), Contains("ends before"));
  CHECK_THAT(refusal(first + "table A major 1 more\n"), Contains("one word too many"));
  CHECK_THAT(refusal(first + "table A major 1\n  x 0 int\n"), Contains("schemas.lock:3"));
  CHECK_THAT(refusal(first + "struct A size 4\n"), Contains("without align"));
  CHECK_THAT(refusal(first + "table A major 1\ntable A major 1\n"), Contains("twice"));
  CHECK_THAT(refusal(first + "file a.fbs identifier %2\n"), Contains("two digits"));
  CHECK_THROWS_WITH(schema::read_lock("nowhere.lock"), Contains("no such lock"));
}

TEST_CASE("lock: the difference names each line with its definition", "[schema]") {
  const folder in;
  const auto before = schema::load(in.put("a.fbs", "table A { x: int; }")).content;
  const auto now = schema::load(in.put("a.fbs", "table A { x: int; y: string; }")).content;
  CHECK(schema::difference(before, now) == std::vector<std::string>{"+ A: 1 y string"});
  CHECK(schema::difference(now, before) == std::vector<std::string>{"- A: 1 y string"});
}
