#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <sstream>
#include <utility>

#include <relacy/relacy.hpp>

/// What the programs of this folder have in common: a model that has to hold, and others with one thing taken away,
/// each of which the checker has to catch.
namespace model {

constexpr int iterations = 200'000;
constexpr int iterations_in_order = 400'000;

/// Ends the process well when it has tried enough: the checker itself tries all.
template <class Suite>
struct bounded : Suite {
  static inline int left = iterations_in_order;
  void before() {
    if (left-- == 0) std::_Exit(0);
    Suite::before();
  }
};

/// In order, all runs in which threads are interrupted at most twice, as far as they come: what needs one to stand
/// still while the others do much, chance does not find. In a process of its own.
template <class Suite>
bool holds_in_order() {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    rl::test_params params;
    params.search_type = rl::sched_bound;
    params.context_bound = 2;
    std::ostringstream told;
    params.output_stream = params.progress_stream = &told;  // lines of progress by the hundred
    const bool held = rl::simulate<bounded<Suite>>(params);
    if (!held) std::fputs(told.str().c_str(), stdout), std::fflush(stdout);
    std::_Exit(held ? 0 : 1);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

/// At random, where every step may change threads, and in order.
template <class Suite, int Iterations = iterations>
bool holds() {
  rl::test_params params;
  params.search_type = rl::random_scheduler_type;
  params.iteration_count = Iterations;
  return rl::simulate<Suite>(params) && holds_in_order<Suite>();
}

/// The same with `Which` in `Planted`, where the test looks what to leave out.
template <class Suite, auto& Planted, auto Which, int Iterations = iterations>
bool holds_with() {
  const auto before = std::exchange(Planted, Which);
  const bool held = holds<Suite, Iterations>();
  Planted = before;
  return held;
}

/// The same with one of `All`: what a test leaves out by name, e.g. a memory order of the code.
template <class Suite, auto& Planted, const auto& All, int Which>
bool holds_with_one_of() {
  const auto before = std::exchange(Planted, All[Which]);
  const bool held = holds<Suite>();
  Planted = before;
  return held;
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
