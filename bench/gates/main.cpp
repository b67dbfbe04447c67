// amphibus_gates: figures that do not depend on the machine's mood, each with a limit. Fails if one is passed.
#include <cstdio>
#include <string>
#include <vector>

#include <amphibus/bus.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/task.hpp>

#include "gates/allocations.hpp"
#include "harness/shape.hpp"

namespace {

using small = bench::message<32>;
using page = bench::message<4096>;
constexpr amphibus::topic<small> counted_small{"bench.counted.small"};
constexpr amphibus::topic<page> counted_large{"bench.counted.large"};
constexpr amphibus::topic<small> counted_retained{"bench.counted.retained", amphibus::retain::history(10)};

/// Allocations per message once the inboxes have been full: everything that is pooled exists then. `read(bus, topic,
/// options)` is kept while they are counted.
template <class T, class Read>
double allocations_per_message(const amphibus::topic<T>& topic, const Read& read) {
  amphibus::bus bus;
  amphibus::loop loop;
  const auto one = read(bus, topic, amphibus::subscription_options{.capacity = 512, .on = loop});
  const auto two = read(bus, topic, amphibus::subscription_options{.capacity = 512, .on = loop});
  auto out = bus.publisher(topic);
  for (int round = 0; round != 4; ++round) {
    while (out.try_publish(T{}) == amphibus::publish_status::accepted) {
    }
    loop.run_until_idle();
  }
  const std::uint64_t before = bench::allocations();
  constexpr std::size_t measured = 100'000;
  for (std::size_t i = 0; i != measured; ++i) {
    out.publish(T{{i}});
    if (i % 256 == 255) loop.run_until_idle();
  }
  return static_cast<double>(bench::allocations() - before) / static_cast<double>(measured);
}

std::uint64_t read_sum = 0;

template <class T>
amphibus::subscription subscribe_to(amphibus::bus& bus, const amphibus::topic<T>& topic,
                                    const amphibus::subscription_options& with) {
  return bus.subscribe(topic, with, [](const T& m) { read_sum += m.words[0]; });
}

template <class T, bool Limited>
amphibus::task await_all(amphibus::receiver<T> in) {
  while (const auto next = co_await in.next(Limited ? std::chrono::hours(1) : amphibus::base::duration::max())) {
    read_sum += (*next)->words[0];
  }
}
template <class T, bool Limited>
amphibus::task await_from(amphibus::bus& bus, const amphibus::topic<T>& topic,
                          const amphibus::subscription_options& with) {
  return await_all<T, Limited>(bus.receiver(topic, with));
}

/// A page that counts how often it was copied.
struct watched_page {
  static inline std::uint64_t copies = 0;
  page content{};

  watched_page() = default;
  watched_page(const watched_page& from) : content(from.content) { ++copies; }
  watched_page(watched_page&&) noexcept = default;
  watched_page& operator=(const watched_page& from) {
    content = from.content;
    ++copies;
    return *this;
  }
  watched_page& operator=(watched_page&&) noexcept = default;
};
constexpr amphibus::topic<watched_page> watched{"bench.watched"};

/// Bytes copied for each byte that `publish(publisher)` publishes to three subscriptions.
template <class Publish>
double copies_per_message(const Publish& publish) {
  amphibus::bus bus;
  amphibus::loop loop;
  std::vector<amphibus::subscription> all;
  for (int i = 0; i != 3; ++i) {
    all.push_back(bus.subscribe(watched, {.on = loop}, [](const watched_page& m) { read_sum += m.content.words[0]; }));
  }
  auto out = bus.publisher(watched);
  const std::uint64_t before = watched_page::copies;
  constexpr int measured = 1'000;
  for (int i = 0; i != measured; ++i) {
    publish(out);
    if (i % 100 == 99) loop.run_until_idle();
  }
  return static_cast<double>(watched_page::copies - before) / measured;
}

bool check(const char* name, double value, double limit, const char* unit) {
  const bool ok = value <= limit;
  std::printf("%-48s %10.3f %-14s <= %g  %s\n", name, value, unit, limit, ok ? "ok" : "FALLS SHORT");
  return ok;
}

bool check_allocations() {
  const char* const unit = "per message";
  bool ok =
      check("allocations/32B, two subscribers", allocations_per_message(counted_small, subscribe_to<small>), 0, unit);
  ok &= check("allocations/4KiB, two subscribers", allocations_per_message(counted_large, subscribe_to<page>), 0, unit);
  ok &= check("allocations/32B, two subscribers, retained",
              allocations_per_message(counted_retained, subscribe_to<small>), 0, unit);
  ok &= check("allocations/32B, two coroutines", allocations_per_message(counted_small, await_from<small, false>), 0,
              unit);
  ok &= check("allocations/32B, two coroutines with a limit",
              allocations_per_message(counted_small, await_from<small, true>), 0, unit);
  return ok;
}

bool check_copies() {
  const char* const unit = "per byte";
  const watched_page one;
  bool ok = check("bytes copied/4KiB, three subscribers, publish(T&)",
                  copies_per_message([&one](auto& out) { out.publish(one); }), 1, unit);
  ok &= check("bytes copied/4KiB, three subscribers, loan", copies_per_message([](auto& out) { out.loan().publish(); }),
              0, unit);
  return ok;
}

}  // namespace

int main() {
  const bool allocations = check_allocations();
  return check_copies() && allocations ? 0 : 1;
}
