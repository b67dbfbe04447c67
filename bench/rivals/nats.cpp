// Core NATS over the loopback: a server process of its own, a connection for each side, in this process.
#include <arpa/inet.h>
#include <nats/nats.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "harness/threads.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(probe, reinterpret_cast<sockaddr*>(&at), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&at), &size);
  ::close(probe);
  return ntohs(at.sin_port);
}

class server {
 public:
  server() : port_(std::to_string(free_port())), process_(::fork()) {
    if (process_ != 0) return;
    ::execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port_.c_str(), "-l", "/dev/null", nullptr);
    ::_exit(127);
  }
  ~server() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  /// Null if it does not come up within some seconds.
  [[nodiscard]] natsConnection* connect() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    natsConnection* out = nullptr;
    while (::natsConnection_ConnectTo(&out, ("nats://127.0.0.1:" + port_).c_str()) != NATS_OK) {
      if (std::chrono::steady_clock::now() > until) return nullptr;
      std::this_thread::yield();
    }
    return out;
  }

 private:
  const std::string port_;
  const pid_t process_;
};

constexpr double lost_after_seconds = 30;

double run(const shape& of, std::size_t count) {
  using message = bench::message<32>;
  struct {
    std::atomic<std::size_t> got{0};
    std::uint64_t sum = 0;
  } seen;
  const server between;
  natsConnection* const in = between.connect();
  natsConnection* const out = between.connect();
  if (in == nullptr || out == nullptr) return 0;
  natsSubscription* subscription = nullptr;
  ::natsConnection_Subscribe(
      &subscription, in, "bench.messages",
      [](natsConnection*, natsSubscription*, natsMsg* one, void* to) {
        auto& here = *static_cast<decltype(seen)*>(to);
        message value;
        std::memcpy(&value, ::natsMsg_GetData(one), sizeof value);
        here.sum += value.words[0];
        here.got.store(here.got.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        ::natsMsg_Destroy(one);
      },
      &seen);
  ::natsSubscription_SetPendingLimits(subscription, -1, -1);
  ::natsConnection_Flush(in);
  const auto start = std::chrono::steady_clock::now();
  // What it loses never comes.
  const auto in_time = [&] { return seconds_since(start) < lost_after_seconds; };
  const auto behind = [&](std::size_t sent) { return sent - seen.got.load(std::memory_order_acquire); };
  const auto bound = static_cast<std::size_t>(of.bound);
  message value{};
  for (std::size_t i = 0; i != count && in_time();) {
    value.words[0] = i;
    ::natsConnection_Publish(out, "bench.messages", &value, sizeof value);
    // It disconnects who is slow, so the sender waits.
    if (behind(++i) > bound) ::natsConnection_Flush(out);
    while (behind(i) > bound && in_time()) std::this_thread::yield();
  }
  ::natsConnection_Flush(out);
  while (behind(count) != 0 && in_time()) std::this_thread::yield();
  const double took = seconds_since(start);
  ::natsSubscription_Destroy(subscription);
  ::natsConnection_Destroy(out);
  ::natsConnection_Destroy(in);
  return seen.sum == sum_of_share(count) ? static_cast<double>(count) / took : 0;
}

}  // namespace

rival nats() {
  return {"NATS", "nats-server and the C client over the loopback, which buffers and flushes by itself", &run,
          [](const shape& of) { return of.bytes == 32 && of.subscribers == 1 && of.publishers == 1; }, 0.05};
}

}  // namespace bench
