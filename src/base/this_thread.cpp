#include <amphibus/base/this_thread.hpp>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#endif

namespace amphibus::base {

#ifdef __linux__

void name_this_thread(const std::string& name) noexcept {
  char shortened[16] = {};
  name.copy(shortened, sizeof shortened - 1);
  pthread_setname_np(pthread_self(), shortened);
}

void block_signals_in_this_thread() noexcept {
  sigset_t set;
  sigfillset(&set);
  for (const int its_own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    sigdelset(&set, its_own);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::vector<int> usable_cpus() {
  std::vector<int> out;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return out;
  for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) out.push_back(cpu);
  }
  return out;
}

bool pin_this_thread(const std::vector<int>& cpus) noexcept {
  if (cpus.empty()) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

#else

void name_this_thread(const std::string&) noexcept {}
void block_signals_in_this_thread() noexcept {}
std::vector<int> usable_cpus() { return {}; }
bool pin_this_thread(const std::vector<int>& cpus) noexcept { return cpus.empty(); }

#endif

}  // namespace amphibus::base
