// A hundred thousand topics come and go.
#include "cases.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include <malloc.h>
#include <unistd.h>

namespace amphibus::testing {
namespace {

constexpr std::size_t topics_max = 100'000;
constexpr std::size_t sample_every = 100;
constexpr std::uint64_t messages_max = 200;

std::size_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream in("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// One bus with all its topics; every hundredth is used. Returns: bytes while it was there.
std::size_t live_once(scenario& s) {
  bus many;
  std::vector<topic<letter>> sample;
  for (std::size_t i = 0; i != topics_max; ++i) {
    auto made = many.make_topic<letter>("conformance.many." + std::to_string(i));
    s.check(bool(made), "a topic is refused");
    if (i % sample_every == 0) sample.push_back(made.value());
  }
  std::uint64_t handled = 0;
  std::vector<subscription> kept;
  for (const auto& each : sample) {
    kept.push_back(many.subscribe(each, {.capacity = 16}, [&](const letter& got) { handled += intact(got) ? 1 : 0; }));
  }
  for (const auto& each : sample) {
    auto out = many.publisher(each);
    for (std::uint64_t number = 1; number <= messages_max; ++number) {
      s.check(out.publish(make<letter>({1, number}, 1'000)) == publish_status::accepted, "a publish is refused");
    }
  }
  s.check(many.close(watched::patience).complete(), "a bus with many topics does not close");
  s.check(handled == sample.size() * messages_max, "not everything is handled");
  return resident_bytes();
}

/// What a bus took it gives back: the third life of a bus with many topics costs no more memory than the first.
void many_topics_end(const subject& of, reporter& to) {
  scenario s(of, to);
  const std::size_t before = resident_bytes();
  const std::size_t first = live_once(s);
  const std::size_t after_first = resident_bytes();
  live_once(s);
  live_once(s);
  const std::size_t after = resident_bytes();
  const std::size_t taken = std::max(first, before) - before;
  s.check(after <= after_first + taken / 2, "the memory grows from " + std::to_string(after_first) + " to " +
                                                std::to_string(after) + " bytes while buses with many topics end");
}

}  // namespace

case_list many_topics_cases() {
  return {{"a hundred thousand topics leave nothing behind",
           {"the end"},
           {},
           case_scope::within_a_process,
           many_topics_end}};
}

}  // namespace amphibus::testing
