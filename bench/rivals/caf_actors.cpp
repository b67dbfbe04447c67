// CAF: an actor per subscriber, which the publishers send to. Its mailboxes have no bound, so the publishers keep one
// by hand; a bound per 1,024 messages costs next to nothing.
#include <caf/all.hpp>

#include <atomic>
#include <memory>
#include <semaphore>
#include <vector>

#include "harness/threads.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {
struct caf_message {
  std::uint64_t one, two, three, four;
};
}  // namespace
}  // namespace bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bench::caf_message)  // it never leaves the process

namespace bench {
namespace {

struct alignas(128) progress {
  std::atomic<std::uint64_t> handled{0};
  std::uint64_t sum = 0;
  std::uint64_t expected = 0;
  std::binary_semaphore done{0};
};

caf::behavior subscriber(caf::event_based_actor*, progress* of) {
  return {[of](const caf_message& m) {
    of->sum += m.one;
    const std::uint64_t now = of->handled.load(std::memory_order_relaxed) + 1;
    of->handled.store(now, std::memory_order_release);
    if (now == of->expected) of->done.release();
  }};
}

double run(const shape& of, std::size_t count) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  const auto publishers = static_cast<std::size_t>(of.publishers);
  std::vector<std::unique_ptr<progress>> seen;
  std::vector<caf::actor> actors;
  for (int i = 0; i != of.subscribers; ++i) {
    seen.push_back(std::make_unique<progress>());
    seen.back()->expected = count / publishers * publishers;
    actors.push_back(system.spawn(subscriber, seen.back().get()));
  }
  const auto bound = static_cast<std::uint64_t>(of.bound / of.publishers);
  const auto publish = [&](std::size_t share) {
    for (std::size_t i = 0; i != share; ++i) {
      for (auto& each : actors) caf::anon_send(each, caf_message{i, 0, 0, 0});
      if (i % 1024 != 1023) continue;
      for (auto& each : seen) {
        while ((i + 1) * static_cast<std::uint64_t>(of.publishers) >
               each->handled.load(std::memory_order_acquire) + bound * static_cast<std::uint64_t>(of.publishers)) {
          std::this_thread::yield();
        }
      }
    }
  };
  const auto consume = [&](std::size_t which, std::size_t) {
    progress& own = *seen[which];
    own.done.acquire();
    return own.sum;
  };
  const double rate = run_threads(of, count, publish, consume);
  for (auto& each : actors) caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  return rate;
}

}  // namespace

rival caf_actors() {
  return {"CAF", "event-based actors, anon_send of a custom type, default scheduler", &run,
          [](const shape& of) { return of.bytes == 32; }, 0.03};
}

}  // namespace bench
