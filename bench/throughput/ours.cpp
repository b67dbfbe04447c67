#include "throughput/ours.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include <amphibus/bus.hpp>

#include "harness/threads.hpp"

namespace bench {
namespace {

template <class Message>
constexpr amphibus::topic<Message> topic{"bench.messages"};

struct alignas(128) seen {
  std::uint64_t sum = 0;
};

template <class Message>
void publish_share(amphibus::bus& bus, std::size_t share, way how) {
  if (how == way::bus) {
    for (std::size_t i = 0; i != share; ++i) bus.publish(topic<Message>, {{i}});
    return;
  }
  auto out = bus.publisher(topic<Message>);
  if (how == way::loan) {
    for (std::size_t i = 0; i != share; ++i) {
      auto next = out.loan();
      next->words[0] = i;
      next.publish();
    }
  } else if (how == way::batches) {
    if constexpr (sizeof(Message) <= 256) {
      std::array<Message, 64> batch{};
      for (std::size_t i = 0; i < share;) {
        const std::size_t some = std::min(batch.size(), share - i);
        for (std::size_t k = 0; k != some; ++k) batch[k].words[0] = i + k;
        out.publish_batch(std::span<const Message>(batch.data(), some));
        i += some;
      }
    }
  } else if constexpr (sizeof(Message) <= 256) {
    for (std::size_t i = 0; i != share; ++i) out.publish({{i}});
  } else {
    const auto one = std::make_unique<Message>();  // there before: what is measured is the one copy
    for (std::size_t i = 0; i != share; ++i) {
      one->words[0] = i;
      out.publish(*one);
    }
  }
}

template <class Message>
amphibus::subscription subscribe(amphibus::bus& bus, const shape& of, way how, std::uint64_t& sum) {
  const amphibus::subscription_options options{.capacity = static_cast<std::size_t>(of.bound),
                                               .on = amphibus::dedicated};
  if (how != way::batches)
    return bus.subscribe(topic<Message>, options, [&sum](const Message& m) { sum += m.words[0]; });
  return bus.subscribe(topic<Message>, options, [&sum](amphibus::batch<Message> all) {
    for (const Message& m : all) sum += m.words[0];
  });
}

/// As run_threads(), but the bus has the subscribers' threads.
template <class Message>
double run(amphibus::bus& bus, const shape& of, std::size_t count, way how) {
  const auto publishers = static_cast<std::size_t>(of.publishers);
  const std::size_t share = count / publishers;
  std::vector<seen> sums(static_cast<std::size_t>(of.subscribers));
  std::vector<amphibus::subscription> subscriptions;
  std::vector<std::thread> threads;
  const auto start = std::chrono::steady_clock::now();
  for (seen& each : sums) subscriptions.push_back(subscribe<Message>(bus, of, how, each.sum));
  for (std::size_t p = 0; p != publishers; ++p) {
    threads.emplace_back([&] { publish_share<Message>(bus, share, how); });
  }
  for (auto& each : threads) each.join();
  for (auto& each : subscriptions) {
    while (each.counters().pending != 0) std::this_thread::yield();
  }
  const double took = seconds_since(start);
  subscriptions.clear();
  for (const seen& each : sums) {
    if (each.sum != sum_of_share(share) * publishers) return 0;
  }
  return static_cast<double>(share * publishers) / took;
}

}  // namespace

double ours(const shape& of, std::size_t count, way how) {
  return with_size(of.bytes, [&]<class Message>() {
    amphibus::bus bus;
    return run<Message>(bus, of, count, how);
  });
}

double ours_beside_a_stopped_one(const shape& of, std::size_t count) {
  using small = message<32>;
  amphibus::bus bus;
  std::binary_semaphore go_on{0};
  const amphibus::subscription_options options{.capacity = static_cast<std::size_t>(of.bound),
                                               .overflow = amphibus::overflow::drop_oldest(),
                                               .on = amphibus::dedicated};
  bool first = true;
  auto stopped = bus.subscribe(topic<small>, options, [&](const small&) {
    if (std::exchange(first, false)) go_on.acquire();
  });
  shape others = of;
  --others.subscribers;
  const double rate = run<small>(bus, others, count, way::publisher);
  go_on.release();
  return rate;
}

double ours_inline(const shape& of, std::size_t count, way how) {
  using small = message<32>;
  amphibus::bus bus;
  std::uint64_t sum = 0;
  std::vector<amphibus::subscription> subscriptions;
  for (int i = 0; i != of.subscribers; ++i) {
    subscriptions.push_back(
        bus.subscribe(topic<small>, {.on = amphibus::inline_}, [&sum](const small& m) { sum += m.words[0]; }));
  }
  const auto start = std::chrono::steady_clock::now();
  publish_share<small>(bus, count, how);
  const double took = seconds_since(start);
  return sum == sum_of_share(count) * static_cast<std::uint64_t>(of.subscribers) ? static_cast<double>(count) / took
                                                                                 : 0;
}

double ours_over_topics(std::size_t existing, std::size_t hot, std::size_t count) {
  using small = message<32>;
  amphibus::bus bus;
  amphibus::loop loop;
  std::uint64_t sum = 0;
  std::vector<amphibus::topic<small>> topics;
  std::vector<amphibus::subscription> subscriptions;
  std::vector<amphibus::publisher<small>> publishers;
  for (std::size_t i = 0; i != existing; ++i) {
    topics.push_back(bus.make_topic<small>("bench.t" + std::to_string(i)).value());
    subscriptions.push_back(bus.subscribe(topics.back(), {.on = loop}, [&sum](const small& m) { sum += m.words[0]; }));
    if (i < hot) publishers.push_back(bus.publisher(topics.back()));
  }
  // So many that a topic gets several at a time, and none of them is ever full.
  const std::size_t at_once = std::max<std::size_t>(8'000, 16 * hot);
  double took = 0;
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < count;) {
    const auto start = std::chrono::steady_clock::now();
    for (const std::size_t end = i + at_once; i != end; ++i) publishers[i % hot].publish({{i}});
    took += seconds_since(start);
    loop.run_until_idle();
  }
  for (std::size_t i = 0; i != (count + at_once - 1) / at_once * at_once; ++i) expected += i;
  return sum == expected ? static_cast<double>((count + at_once - 1) / at_once * at_once) / took : 0;
}

}  // namespace bench
