// A pool of threads shares the work of several subscriptions. Different subscriptions run in parallel; the handlers of
// one never overlap, so each may keep its state without a lock.
#include <amphibus/bus.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <string>

namespace {

struct verse {
  std::string text;
};
constexpr amphibus::topic<verse> verses{"poem.verses"};

constexpr std::array poem{
    "'Twas brillig, and the slithy toves",
    "Did gyre and gimble in the wabe;",
    "All mimsy were the borogoves,",
    "And the mome raths outgrabe.",
};

}  // namespace

int main() {
  long words = 0;
  long vowels = 0;
  std::string longest;

  amphibus::bus bus;
  amphibus::pool readers = bus.pool("readers", {.threads = 2});
  auto word_count = bus.subscribe(verses, {.name = "words", .on = readers}, [&](const verse& v) {
    std::istringstream in(v.text);
    for (std::string word; in >> word;) ++words;
  });
  auto vowel_count = bus.subscribe(verses, {.name = "vowels", .on = readers}, [&](const verse& v) {
    vowels += std::count_if(v.text.begin(), v.text.end(),
                            [](char c) { return std::string_view("aeiouAEIOU").find(c) != std::string_view::npos; });
  });
  auto longest_verse = bus.subscribe(verses, {.name = "longest", .on = readers}, [&](const verse& v) {
    if (v.text.size() > longest.size()) longest = v.text;
  });

  auto out = bus.publisher(verses);
  for (int reading = 0; reading != 1000; ++reading) {
    for (const char* text : poem) out.publish({text});  // waits where a reader has 8192 verses before it
  }
  bus.drain();  // everything is handled, and what the handlers wrote is visible here
  std::printf("%ld words, %ld vowels\nthe longest verse: %s\n", words, vowels, longest.c_str());
}
