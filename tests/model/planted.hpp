#pragma once

#include <cstdio>
#include <cstring>
#include <initializer_list>

#include <relacy/relacy.hpp>

/// What the programs of this folder have in common: a model that has to hold, and others with one thing taken away,
/// each of which the checker has to catch.
namespace model {

constexpr int iterations = 200'000;

template <class Suite>
bool holds() {
  rl::test_params params;
  params.search_type = rl::random_scheduler_type;
  params.iteration_count = iterations;
  return rl::simulate<Suite>(params);
}

struct planted_fault {
  const char* name;
  bool (*holds)();
};

template <class Suite>
planted_fault plant(const char* name) {
  return {name, &holds<Suite>};
}

/// `sound`: what has to hold; with the argument `planted` each of `faults` has to be caught instead. Returns: what the
/// program returns.
inline int run(int argc, char** argv, std::initializer_list<bool (*)()> sound,
               std::initializer_list<planted_fault> faults) {
  bool good = true;
  if (argc != 2 || std::strcmp(argv[1], "planted") != 0) {
    for (const auto each : sound) good = each() && good;
    return good ? 0 : 1;
  }
  for (const planted_fault& each : faults) {
    const bool found = !each.holds();
    std::printf("%s: %s\n", found ? "caught" : "NOT CAUGHT", each.name);
    good = good && found;
  }
  return good ? 0 : 1;
}

}  // namespace model
