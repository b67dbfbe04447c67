// What the started processes do. Ours is a program of modules like any user's; the rival is plain libzmq.
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include <zmq.h>

#include <amphibus/app.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "harness/shape.hpp"
#include "throughput/idle.hpp"
#include "throughput/processes.hpp"

template <>
struct amphibus::codec<bench::message<32>> {
  static constexpr std::string_view type_name = "bench.message_32";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 32;
  static bool encode(const bench::message<32>& from, wire::byte_writer& out) {
    std::memcpy(out.extend(sizeof from), &from, sizeof from);
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, bench::message<32>& into) {
    if (bytes.size() != sizeof into) return false;
    std::memcpy(&into, bytes.data(), sizeof into);
    return true;
  }
};

namespace bench {
namespace {

using clock = std::chrono::steady_clock;
constexpr amphibus::topic<message<32>> wire_topic{"bench.wire"};

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Waits until `deadline` without spinning: the pace of a device, not a synchronisation.
void wait_until(clock::time_point deadline) {
  const auto left = deadline - clock::now();
  if (left <= clock::duration::zero()) return;
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
  itimerspec when{};
  when.it_value.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count() % 1'000'000'000;
  when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  ::timerfd_settime(timer, 0, &when, nullptr);
  pollfd until{timer, POLLIN, 0};
  ::poll(&until, 1, -1);
  ::close(timer);
}

struct plan {
  std::string what;
  std::size_t count = 0;
  double seconds = 0;
};

void start_source(amphibus::module& m, const plan& how) {
  if (how.what != "stream") return;
  m.run([&m, count = how.count](const std::stop_token&) {
    auto out = m.publisher(wire_topic);
    for (std::size_t i = 0; i != count; ++i) out.publish({{i}});
    m.done();
  });
}

void start_sink(amphibus::module& m, const plan& how) {
  struct state {
    std::size_t seen = 0;
    clock::time_point first;
  };
  auto& of = m.make<state>();
  const std::size_t last = how.what == "stream" ? how.count : 0;
  m.subscribe(wire_topic, {.capacity = 65'536}, [&m, &of, last](const message<32>&) {
    if (of.seen++ == 0) of.first = clock::now();
    if (of.seen != last) return;
    std::printf("RATE %f\n", static_cast<double>(of.seen - 1) / seconds_since(of.first));
    std::fflush(stdout);
    m.done();
  });
}

/// Publishes bursts of 100 every millisecond, or flat out, and says what became of them.
void feed_paced(amphibus::module& m, const plan& how, std::uint64_t& handled) {
  constexpr std::size_t burst = 100;
  auto out = m.publisher(wire_topic);
  std::size_t published = 0;
  std::size_t refused = 0;
  const bool flat_out = how.what == "flat";
  std::printf("STARTED\n");
  std::fflush(stdout);
  const auto start = clock::now();
  const double cpu = thread_cpu_seconds();
  for (std::size_t tick = 0; seconds_since(start) < how.seconds; ++tick) {
    if (!flat_out) wait_until(start + tick * std::chrono::milliseconds(1));
    for (std::size_t i = 0; i != burst; ++i) {
      refused += out.try_publish({{published}}) == amphibus::publish_status::accepted ? 0U : 1U;
      ++published;
    }
  }
  const double took = seconds_since(start);
  const double used = thread_cpu_seconds() - cpu;
  m.bus().drain();
  std::printf("PACED %f %f %f %f\n", static_cast<double>(published) / took,
              static_cast<double>(published - refused) - static_cast<double>(handled), static_cast<double>(refused),
              used * 1e9 / static_cast<double>(published));
  std::fflush(stdout);
  m.stop();
}

void start_pacer(amphibus::module& m, const plan& how) {
  auto& handled = m.make<std::uint64_t>(0U);
  m.subscribe(wire_topic, {.capacity = 1U << 20U}, [&handled](const message<32>&) { ++handled; });
  m.run([&m, how, &handled](const std::stop_token&) { feed_paced(m, how, handled); });
}

/// Says how often this process was scheduled while nobody published.
void start_idler(amphibus::module& m, const plan& how) {
  m.subscribe(wire_topic, [](const message<32>&) {});
  m.run([&m, how](const std::stop_token&) {
    wait_until(clock::now() + std::chrono::milliseconds(500));  // the connection settles
    std::printf("IDLE %f\n", context_switches_per_second(how.seconds));
    std::fflush(stdout);
    m.done();
  });
}

int run_modules(int argc, char** argv) {
  amphibus::app app{argc, argv};
  const auto& own = app.arguments();
  const plan how{own.at(0), std::stoull(own.at(1)), std::stod(own.at(2))};
  app.transport(amphibus::zeromq::transport());
  const auto add = [&](const std::string& name, void (*start)(amphibus::module&, const plan&)) {
    if (("," + own.at(3)).find("," + name + ",") != std::string::npos)
      app.module(name, [&how, start](amphibus::module& m) { start(m, how); });
  };
  add("source", &start_source);
  add("pacer", &start_pacer);
  for (const char* name : {"sink", "sink-1", "sink-2", "sink-3"}) add(name, &start_sink);
  for (const char* name : {"idler", "idler-2"}) add(name, &start_idler);
  return app.run();
}

/// Same policy as ours: nothing is dropped (NODROP, wait for room), one message per frame.
int publish_raw(const std::string& endpoint, std::size_t count) {
  void* const context = ::zmq_ctx_new();
  void* const socket = ::zmq_socket(context, ZMQ_XPUB);
  const int on = 1;
  ::zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on);
  ::zmq_bind(socket, endpoint.c_str());
  char subscription[8];
  ::zmq_recv(socket, subscription, sizeof subscription, 0);  // the receiver is there
  message<32> message{};
  for (std::size_t i = 0; i != count; ++i) {
    message.words[0] = i;
    ::zmq_send(socket, &message, sizeof message, 0);
  }
  ::zmq_close(socket);
  ::zmq_ctx_term(context);
  return 0;
}

int subscribe_raw(const std::string& endpoint, std::size_t count) {
  void* const context = ::zmq_ctx_new();
  void* const socket = ::zmq_socket(context, ZMQ_SUB);
  ::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
  ::zmq_connect(socket, endpoint.c_str());
  message<32> message{};
  clock::time_point first;
  for (std::size_t seen = 0; seen != count; ++seen) {
    ::zmq_recv(socket, &message, sizeof message, 0);
    if (seen == 0) first = clock::now();
  }
  std::printf("RATE %f\n", static_cast<double>(count - 1) / seconds_since(first));
  std::fflush(stdout);
  ::zmq_close(socket);
  ::zmq_ctx_term(context);
  return 0;
}

}  // namespace

int play_role(int argc, char** argv) {
  const std::string role = argv[1];
  if (role == "raw-publish") return publish_raw(argv[2], std::stoull(argv[3]));
  if (role == "raw-subscribe") return subscribe_raw(argv[2], std::stoull(argv[3]));
  return run_modules(argc - 1, argv + 1);
}

}  // namespace bench
