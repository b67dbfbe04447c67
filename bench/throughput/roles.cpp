// What the started processes do. Ours is a program of modules like any user's; the rival is plain libzmq.
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include <zmq.h>

#include <amphibus/app.hpp>
#include <amphibus/wire/pod.hpp>
#include <amphibus/wire/shared_buffer.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "harness/shape.hpp"
#include "latency/pace.hpp"
#include "throughput/idle.hpp"
#include "throughput/processes.hpp"

namespace bench {
namespace {

/// A large message as one would make it: the sender's bytes are copied once, into the frame; the receiver reads them
/// there.
struct slab {
  std::uint64_t number = 0;
  std::span<const std::byte> bytes;
  amphibus::wire::buffer_reference keeps;
};
constexpr std::size_t slab_size_bytes = std::size_t{1} << 20U;

/// A small one. A type of its own, because what is compiled without its codec, as the scenarios within one process are,
/// calls the codec through a pointer.
struct wire_message {
  std::array<std::uint64_t, 4> words;
};

}  // namespace
}  // namespace bench

template <>
struct amphibus::codec<bench::slab> {
  static constexpr std::string_view type_name = "bench.slab";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static std::size_t size_hint(const bench::slab& from) { return sizeof from.number + from.bytes.size(); }
  static bool encode(const bench::slab& from, wire::byte_writer& out) {
    out.append(&from.number, sizeof from.number);
    out.append(from.bytes);
    return true;
  }
  static bool decode(std::span<const std::byte>, bench::slab&) { return false; }  // there is always an owner
  static bool decode(std::span<const std::byte> bytes, wire::shared_buffer& owner, bench::slab& into) {
    if (bytes.size() < sizeof into.number) return false;
    std::memcpy(&into.number, bytes.data(), sizeof into.number);
    into.bytes = bytes.subspan(sizeof into.number);
    into.keeps = wire::buffer_reference(owner);
    return true;
  }
};

AMPHIBUS_POD(bench::wire_message, 1, words)

namespace bench {
namespace {

using clock = std::chrono::steady_clock;
constexpr amphibus::topic<wire_message> wire_topic{"bench.wire"};
constexpr amphibus::topic<slab> large_topic{"bench.large"};
constexpr std::uint64_t ping_gap_ns = 1'000'000;
constexpr amphibus::topic<wire_message> ping_topic{"bench.ping"};
constexpr amphibus::topic<wire_message> pong_topic{"bench.pong"};

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
  if (how.what == "large") {
    m.run([&m, count = how.count](const std::stop_token&) {
      auto out = m.publisher(large_topic);
      const std::vector<std::byte> bytes(slab_size_bytes);
      for (std::size_t i = 0; i != count; ++i) out.publish({i, bytes, {}});
      m.bus().drain(std::chrono::minutes(1));  // the bytes are ours until they are encoded
      m.done();
    });
  }
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
  const std::size_t last = how.what == "paced" || how.what == "flat" ? 0 : how.count;
  const auto count = [&m, &of, last] {
    if (of.seen++ == 0) of.first = clock::now();
    if (of.seen != last) return;
    std::printf("RATE %f\n", static_cast<double>(of.seen - 1) / seconds_since(of.first));
    std::fflush(stdout);
    m.done();
  };
  if (how.what == "large") {
    m.subscribe(large_topic, [count](const slab& got) {
      if (got.bytes.size() == slab_size_bytes) count();
    });
  } else {
    m.subscribe(wire_topic, {.capacity = 65'536}, [count](const wire_message&) { count(); });
  }
}

/// Sends by the clock, and tells how long each message was away. While one is away the sender sleeps, as the rival's
/// does, whose send and receive are in one thread: a core that spins for the clock would be taken from the others.
void start_ping(amphibus::module& m, const plan& how) {
  struct state {
    std::vector<std::uint64_t> took;
    std::binary_semaphore back{0};
  };
  auto& of = m.make<state>();
  m.subscribe(pong_topic, [&of](const wire_message& back) {
    of.took.push_back(now_ns() - back.words[0]);
    of.back.release();
  });
  m.run([&m, &of, count = how.count](const std::stop_token&) {
    auto out = m.publisher(ping_topic);
    send_paced(count, ping_gap_ns, [&](std::uint64_t intended) {
      out.publish({{intended}});
      of.back.acquire();
    });
    for (const std::uint64_t each : of.took) std::printf("TOOK %llu\n", static_cast<unsigned long long>(each));
    std::fflush(stdout);
    m.done();
  });
}

void start_pong(amphibus::module& m, const plan& how) {
  auto& seen = m.make<std::size_t>(0U);
  m.subscribe(ping_topic, [&m, &seen, count = how.count](const wire_message& sent) {
    m.bus().publish(pong_topic, sent);
    if (++seen == count) m.done();
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
  const auto accepted = static_cast<double>(published - refused);
  std::printf("PACED %f %f %f %f\n", accepted / took, accepted - static_cast<double>(handled),
              static_cast<double>(refused), used * 1e9 / static_cast<double>(published));
  std::fflush(stdout);
  m.stop();
}

void start_pacer(amphibus::module& m, const plan& how) {
  auto& handled = m.make<std::uint64_t>(0U);
  m.subscribe(wire_topic, {.capacity = 1U << 20U}, [&handled](const wire_message&) { ++handled; });
  m.run([&m, how, &handled](const std::stop_token&) { feed_paced(m, how, handled); });
}

/// Says how often this process was scheduled while nobody published.
void start_idler(amphibus::module& m, const plan& how) {
  m.subscribe(wire_topic, [](const wire_message&) {});
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
  add("ping", &start_ping);
  add("pong", &start_pong);
  return app.run();
}

constexpr auto patience = std::chrono::seconds(2);

/// What may be on its way at each end of ours.
constexpr std::size_t bound_bytes = std::size_t{32} << 20U;

/// A socket of its own context. Same policy as ours: nothing is dropped (NODROP, wait for room), and as many bytes, in
/// messages of so many, may wait at each end. Who subscribes waits so long for the next message.
struct raw_socket {
  raw_socket(int type, const std::string& endpoint, bool binds, std::size_t message_bytes)
      : context(::zmq_ctx_new()), socket(::zmq_socket(context, type)) {
    const int on = 1;
    const int bound = static_cast<int>(bound_bytes / message_bytes);
    ::zmq_setsockopt(socket, ZMQ_SNDHWM, &bound, sizeof bound);
    ::zmq_setsockopt(socket, ZMQ_RCVHWM, &bound, sizeof bound);
    if (type == ZMQ_XPUB) ::zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on);
    const int wait_ms = static_cast<int>(std::chrono::milliseconds(patience).count());
    if (type == ZMQ_SUB) ::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    if (type == ZMQ_SUB) ::zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    binds ? ::zmq_bind(socket, endpoint.c_str()) : ::zmq_connect(socket, endpoint.c_str());
  }
  ~raw_socket() {
    ::zmq_close(socket);
    ::zmq_ctx_term(context);
  }
  raw_socket(const raw_socket&) = delete;
  raw_socket& operator=(const raw_socket&) = delete;
  void* context;
  void* socket;
};

/// Receives `count` messages, `at_once` with each `receive()`, and says how many came a second. Under load NODROP loses
/// one now and then (docs/adr/0015); then it is not waited for.
template <class Receive>
int print_rate(std::size_t count, std::size_t at_once, const Receive& receive) {
  clock::time_point first;
  std::size_t seen = 0;
  for (; seen < count && receive(); seen += at_once) {
    if (seen == 0) first = clock::now();
  }
  const clock::time_point last = seen < count ? clock::now() - patience : clock::now();
  if (seen < count / 100 * 99) return 1;
  std::printf("RATE %f\n", static_cast<double>(seen - at_once) / std::chrono::duration<double>(last - first).count());
  return 0;
}

/// One message per frame.
int publish_raw(const std::string& endpoint, std::size_t count) {
  raw_socket out(ZMQ_XPUB, endpoint, true, sizeof(message<32>));
  char subscription[8];
  ::zmq_recv(out.socket, subscription, sizeof subscription, 0);  // the receiver is there
  message<32> one{};
  for (std::size_t i = 0; i != count; ++i) {
    one.words[0] = i;
    ::zmq_send(out.socket, &one, sizeof one, 0);
  }
  return 0;
}

int subscribe_raw(const std::string& endpoint, std::size_t count) {
  raw_socket in(ZMQ_SUB, endpoint, false, sizeof(message<32>));
  message<32> one{};
  return print_rate(count, 1, [&] { return ::zmq_recv(in.socket, &one, sizeof one, 0) >= 0; });
}

/// In a frame, by hand: 512 KiB, as ours at most; of 64 KiB to 512 KiB the fastest.
constexpr std::size_t by_hand = 16'384;

int publish_batched(const std::string& endpoint, std::size_t count) {
  raw_socket out(ZMQ_XPUB, endpoint, true, by_hand * sizeof(message<32>));
  char subscription[8];
  ::zmq_recv(out.socket, subscription, sizeof subscription, 0);
  std::vector<message<32>> batch(by_hand);
  for (std::size_t i = 0; i < count; i += by_hand) {
    for (std::size_t k = 0; k != by_hand; ++k) batch[k].words[0] = i + k;
    ::zmq_send(out.socket, batch.data(), batch.size() * sizeof batch[0], 0);
  }
  return 0;
}

int subscribe_batched(const std::string& endpoint, std::size_t count) {
  raw_socket in(ZMQ_SUB, endpoint, false, by_hand * sizeof(message<32>));
  std::vector<message<32>> batch(by_hand);
  std::uint64_t sum = 0;
  const int code = print_rate(count, by_hand, [&] {
    if (::zmq_recv(in.socket, batch.data(), batch.size() * sizeof batch[0], 0) < 0) return false;
    for (const auto& each : batch) sum += each.words[0];
    return true;
  });
  return sum == 0 ? 1 : code;
}

int publish_large(const std::string& endpoint, std::size_t count) {
  raw_socket out(ZMQ_XPUB, endpoint, true, slab_size_bytes);
  char subscription[8];
  ::zmq_recv(out.socket, subscription, sizeof subscription, 0);
  std::vector<std::byte> bytes(slab_size_bytes);
  for (std::size_t i = 0; i != count; ++i) {
    std::memcpy(bytes.data(), &i, sizeof i);
    ::zmq_send(out.socket, bytes.data(), bytes.size(), 0);
  }
  return 0;
}

int subscribe_large(const std::string& endpoint, std::size_t count) {
  raw_socket in(ZMQ_SUB, endpoint, false, slab_size_bytes);
  return print_rate(count, 1, [&] {
    zmq_msg_t one;  // read where libzmq has it
    ::zmq_msg_init(&one);
    const bool received = ::zmq_msg_recv(&one, in.socket, 0) >= 0;
    ::zmq_msg_close(&one);
    return received;
  });
}

int ping_raw(const std::string& endpoint, std::size_t count) {
  raw_socket both(ZMQ_PAIR, endpoint, true, sizeof(message<32>));
  message<32> one{};
  ::zmq_recv(both.socket, &one, sizeof one, 0);  // the other is there
  std::vector<std::uint64_t> took;
  send_paced(count, ping_gap_ns, [&](std::uint64_t intended) {
    one.words[0] = intended;
    ::zmq_send(both.socket, &one, sizeof one, 0);
    ::zmq_recv(both.socket, &one, sizeof one, 0);
    took.push_back(now_ns() - one.words[0]);
  });
  for (const std::uint64_t each : took) std::printf("TOOK %llu\n", static_cast<unsigned long long>(each));
  return 0;
}

int pong_raw(const std::string& endpoint, std::size_t count) {
  raw_socket both(ZMQ_PAIR, endpoint, false, sizeof(message<32>));
  message<32> one{};
  ::zmq_send(both.socket, &one, sizeof one, 0);
  for (std::size_t i = 0; i != count; ++i) {
    ::zmq_recv(both.socket, &one, sizeof one, 0);
    ::zmq_send(both.socket, &one, sizeof one, 0);
  }
  return 0;
}

}  // namespace

int play_role(int argc, char** argv) {
  const std::string role = argv[1];
  struct raw_role {
    const char* name;
    int (*play)(const std::string&, std::size_t);
  };
  for (const auto& [name, play] :
       {raw_role{"raw-publish", &publish_raw}, raw_role{"raw-subscribe", &subscribe_raw},
        raw_role{"batched-publish", &publish_batched}, raw_role{"batched-subscribe", &subscribe_batched},
        raw_role{"large-publish", &publish_large}, raw_role{"large-subscribe", &subscribe_large},
        raw_role{"raw-ping", &ping_raw}, raw_role{"raw-pong", &pong_raw}}) {
    if (role == name) return play(argv[2], std::stoull(argv[3]));
  }
  return run_modules(argc - 1, argv + 1);
}

}  // namespace bench
