// iceoryx: shared memory between processes; here its daemon, the publisher and the subscriber are in one process, on
// the same path as between several.
#include <iceoryx_posh/iceoryx_posh_config.hpp>
#include <iceoryx_posh/internal/roudi/roudi.hpp>
#include <iceoryx_posh/popo/publisher.hpp>
#include <iceoryx_posh/popo/subscriber.hpp>
#include <iceoryx_posh/roudi/iceoryx_roudi_components.hpp>
#include <iceoryx_posh/runtime/posh_runtime_single_process.hpp>

#include <atomic>
#include <iostream>

#include "harness/threads.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

iox::RouDiConfig_t small_memory() {
  iox::mepoo::MePooConfig chunks;
  chunks.addMemPool({256, 4096});
  const auto group = iox::posix::PosixGroup::getGroupOfCurrentProcess().getName();
  iox::RouDiConfig_t out;
  out.m_sharedMemorySegments.push_back({group, group, chunks});
  return out;
}

/// The daemon tells about its memory whatever the log level.
struct quiet {
  std::streambuf* const out = std::cout.rdbuf(nullptr);
  std::streambuf* const log = std::clog.rdbuf(nullptr);
  std::streambuf* const errors = std::cerr.rdbuf(nullptr);
  ~quiet() {
    std::cout.rdbuf(out);
    std::clog.rdbuf(log);
    std::cerr.rdbuf(errors);
  }
};

double run(const shape& of, std::size_t count) {
  using message = bench::message<32>;
  const quiet here;
  iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kOff,
                                                           iox::log::LogLevelOutput::kHideLogLevel);
  iox::roudi::IceOryxRouDiComponents parts(small_memory());
  iox::roudi::RouDi daemon(parts.rouDiMemoryManager, parts.portManager,
                           iox::roudi::RouDi::RoudiStartupParameters{iox::roudi::MonitoringMode::OFF, false});
  iox::runtime::PoshRuntimeSingleProcess runtime("amphibus-bench");
  const iox::capro::ServiceDescription service{"amphibus", "bench", "messages"};
  std::atomic<bool> ready{false};
  // The daemon looks ten times a second who came and who left: neither is throughput.
  double took = 0;
  const auto consume = [&](std::size_t, std::size_t expected) {
    iox::popo::SubscriberOptions options;
    options.queueCapacity = 256;  // the most it allows
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    iox::popo::Subscriber<message> in(service, options);
    while (in.getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) std::this_thread::yield();
    ready.store(true);
    std::uint64_t sum = 0;
    std::chrono::steady_clock::time_point first;
    for (std::size_t got = 0; got != expected;) {
      in.take()
          .and_then([&](auto& sample) {
            sum += sample->words[0];
            if (got++ == 0) first = std::chrono::steady_clock::now();
          })
          .or_else([](auto&) { std::this_thread::yield(); });
    }
    took = seconds_since(first);
    return sum;
  };
  const auto publish = [&](std::size_t share) {
    iox::popo::PublisherOptions options;
    options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    iox::popo::Publisher<message> out(service, options);
    while (!ready.load() || !out.hasSubscribers()) std::this_thread::yield();
    for (std::size_t i = 0; i != share; ++i) {
      out.loan().and_then([&](auto& sample) {
        sample->words[0] = i;
        sample.publish();
      });
    }
    while (out.hasSubscribers()) std::this_thread::yield();  // what it holds goes with it
  };
  return run_threads(of, count, publish, consume) > 0 ? static_cast<double>(count - 1) / took : 0;
}

}  // namespace

rival iceoryx() {
  return {"iceoryx", "shared memory, loan and publish, a polling subscriber with a queue of 256 that blocks", &run,
          [](const shape& of) { return of.bytes == 32 && of.subscribers == 1 && of.publishers == 1; }, 0.05};
}

}  // namespace bench
