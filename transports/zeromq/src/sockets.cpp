#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <amphibus/base/event.hpp>
#include <amphibus/base/ids.hpp>

#include "control.hpp"

namespace amphibus::zeromq {
namespace {

constexpr std::size_t ipc_path_size_max_bytes = 100;  // libzmq allows 107; ".r" or ".tap" and a number still fit
constexpr std::size_t host_size_max_bytes = 253;      // of a name in the DNS
// The largest of each kind, whatever the largest message is.
constexpr std::size_t control_size_max_bytes = std::size_t{32} << 20U;  // a hello with every text as long as allowed
constexpr std::size_t numbers_size_max_bytes = std::size_t{5} << 20U;   // a sync of control_topics_max topics
// Below the ephemeral range, where a connecting TCP socket may connect to itself on loopback.
constexpr int first_data_port = 20'000;
constexpr int data_port_count = 12'000;
constexpr int bind_attempts_max = 200;

error invalid(const std::string& text, const std::string& why) {
  return {error_code::endpoint_invalid,
          "endpoint '" + escaped(text) + "' " + why,
          "write tcp://127.0.0.1:7701 or ipc:///tmp/shop-front",
          {"endpoint"}};
}

bool is_loopback(const std::string& host) { return host == "localhost" || host.starts_with("127.") || host == "[::1]"; }

int to_milliseconds(std::chrono::nanoseconds value) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}

// From here on the system chooses the buffers of a connection.
constexpr std::size_t own_choice_min_bytes = std::size_t{4} << 20U;

void bound_buffers(zmq::socket_t& socket, std::size_t pipe_max_bytes) {
  if (pipe_max_bytes >= own_choice_min_bytes) return;  // a connection of TCP grows to some megabytes where it pays
  socket.set(zmq::sockopt::sndbuf, static_cast<int>(pipe_max_bytes));
  socket.set(zmq::sockopt::rcvbuf, static_cast<int>(pipe_max_bytes));
}

// A TTL above 65 s overflows in libzmq 4.3.4.
int stall_ms(std::chrono::nanoseconds peer_stall_max) { return std::min(to_milliseconds(peer_stall_max), 60'000); }

int heartbeat_interval_ms(std::chrono::nanoseconds peer_stall_max) { return std::max(1, stall_ms(peer_stall_max) / 2); }

}  // namespace

std::vector<std::string> filters_of(std::string_view pattern) {
  const auto wildcard = pattern.find_first_of("*>");
  if (wildcard == std::string_view::npos) return {std::string(pattern) + '\0'};
  if (wildcard != 0) return {std::string(pattern.substr(0, wildcard))};
  // Never "", which would match what the protocol says to others.
  constexpr std::string_view first = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  std::vector<std::string> out;
  for (const char each : first) out.emplace_back(1, each);
  return out;
}

std::string description_topic(std::string_view topic) {
  return std::string(description_prefix) + std::string(topic) + '\0';
}

std::string marker_topic(std::uint64_t incarnation, std::uint64_t revision) {
  std::array<char, 48> out{};
  const int size =
      std::snprintf(out.data(), out.size(), "%cm%016" PRIx64 ".%" PRIu64, marker_prefix, incarnation, revision);
  return {out.data(), static_cast<std::size_t>(size)};
}

std::optional<marker> parse_marker(std::string_view topic) {
  marker out;
  if (topic.size() < 20 || topic[0] != marker_prefix || topic[1] != 'm' || topic[18] != '.') return std::nullopt;
  const char* const end = topic.data() + topic.size();
  const auto one = std::from_chars(topic.data() + 2, topic.data() + 18, out.incarnation, 16);
  const auto two = std::from_chars(topic.data() + 19, end, out.revision);
  if (one.ptr != topic.data() + 18 || two.ec != std::errc{} || two.ptr != end) return std::nullopt;
  return out;
}

result<endpoint> parse_endpoint(const std::string& text, bool allow_plain_network) {
  endpoint out;
  if (text.starts_with("ipc://")) {
    out.ipc = true;
    out.path = text.substr(6);
    if (out.path.empty()) return invalid(text, "has no path");
    if (out.path.front() == '@') return invalid(text, "is an abstract name, which has no file permissions");
    if (out.path.size() > ipc_path_size_max_bytes) return invalid(text, "has a path longer than 100 bytes");
    return out;
  }
  if (!text.starts_with("tcp://")) return invalid(text, "has a scheme this transport does not know (tcp or ipc)");
  const auto colon = text.rfind(':');
  out.host = text.substr(6, colon - 6);
  const std::string port = colon > 5 ? text.substr(colon + 1) : "";
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  const bool number = failure == std::errc{} && end == port.data() + port.size() && !port.empty();
  if (!number || out.port < 1 || out.port > 65'535) return invalid(text, "has no port from 1 to 65535");
  if (out.host.empty()) return invalid(text, "has no host");
  if (out.host.size() > host_size_max_bytes) return invalid(text, "has a host longer than 253 bytes");
  if (!allow_plain_network && !is_loopback(out.host)) {
    return error(
        error_code::endpoint_invalid,
        "endpoint '" + escaped(text) + "' is open to the network, and this version neither authenticates nor encrypts",
        "bind to 127.0.0.1, use ipc://, or set zeromq::options::allow_plain_network where the network is trusted",
        {"endpoint"});
  }
  return out;
}

void harden(zmq::socket_t& socket, std::size_t frame_size_max_bytes) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::handshake_ivl, 3000);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_size_max_bytes));
  socket.set(zmq::sockopt::reconnect_ivl, 20);
  socket.set(zmq::sockopt::reconnect_ivl_max, 1000);
}

std::optional<error> check_routes(std::size_t count) {
  if (count <= control_routes_max) return std::nullopt;
  return error(error_code::bad_option,
               "the file has " + std::to_string(count) + " routes of transport zeromq; at most " +
                   std::to_string(control_routes_max) + " are allowed",
               "let patterns join them", {"route"});
}

std::size_t batch_cap_bytes(std::size_t pipe_max_bytes, bool blocks) noexcept {
  constexpr std::size_t frames_min = 64;
  return blocks ? std::clamp(pipe_max_bytes / frames_min, batch_cap_least_bytes, batch_cap_most_bytes)
                : batch_cap_least_bytes;
}

std::optional<error> check_pipe(std::size_t pipe_max_bytes) {
  constexpr std::size_t least = 2 * batch_cap_least_bytes;
  constexpr std::size_t most = std::size_t{1} << 30U;
  if (pipe_max_bytes >= least && pipe_max_bytes <= most) return std::nullopt;
  return error(error_code::bad_option,
               "zeromq::options::pipe_max_bytes is " + std::to_string(pipe_max_bytes) + "; allowed are " +
                   std::to_string(least) + " to " + std::to_string(most),
               "choose a bound within the limits; the default is 32 MiB", {".pipe_max_bytes"});
}

void prepare_control(zmq::socket_t& socket) {
  harden(socket, control_size_max_bytes);
  // A control message that libzmq refused would be lost without a word. There are few, and none to a peer that is
  // silent.
  socket.set(zmq::sockopt::sndhwm, 0);
}

void use_proxy(zmq::socket_t& socket, const std::string& socks_proxy) {
  if (!socks_proxy.empty()) socket.set(zmq::sockopt::socks_proxy, socks_proxy);
}

std::optional<error> check_proxy(const std::string& socks_proxy) {
  if (socks_proxy.empty()) return std::nullopt;
  const auto colon = socks_proxy.rfind(':');
  int port = 0;
  const char* const end = socks_proxy.data() + socks_proxy.size();
  const auto parsed = colon == std::string::npos ? std::from_chars_result{end, std::errc::invalid_argument}
                                                 : std::from_chars(socks_proxy.data() + colon + 1, end, port);
  if (colon != 0 && parsed.ec == std::errc{} && parsed.ptr == end && port >= 1 && port <= 65'535) return std::nullopt;
  return error(error_code::bad_option, "zeromq::options::socks_proxy '" + escaped(socks_proxy) + "' is not HOST:PORT",
               "write the address of a SOCKS5 proxy like 127.0.0.1:1080", {".socks_proxy"});
}

void prepare_publishing(zmq::socket_t& socket, std::size_t pipe_max_bytes, bool blocks) {
  harden(socket, subscription_size_max_bytes);
  socket.set(zmq::sockopt::sndhwm, static_cast<int>(pipe_max_bytes / batch_cap_bytes(pipe_max_bytes, blocks)));
  bound_buffers(socket, pipe_max_bytes);
}

void prepare_subscribing(zmq::socket_t& socket, std::size_t message_size_max_bytes, std::size_t pipe_max_bytes,
                         bool blocks) {
  harden(socket, std::max(message_size_max_bytes + batch_cap_most_bytes + 1024, numbers_size_max_bytes));
  // A SUB sends its subscriptions, and libzmq drops without a word what its high water mark has no place for.
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.set(zmq::sockopt::rcvhwm, static_cast<int>(pipe_max_bytes / batch_cap_bytes(pipe_max_bytes, blocks)));
  bound_buffers(socket, pipe_max_bytes);
}

void cut_stopped_peers(zmq::socket_t& socket, std::chrono::nanoseconds peer_stall_max) {
  socket.set(zmq::sockopt::heartbeat_ivl, heartbeat_interval_ms(peer_stall_max));
  socket.set(zmq::sockopt::heartbeat_timeout, stall_ms(peer_stall_max));
}

std::uint64_t heartbeat_bytes_per_second(std::chrono::nanoseconds peer_stall_max) {
  constexpr int answer_size_bytes = 32;  // a PONG, with room
  return 64U + static_cast<std::uint64_t>(answer_size_bytes * 1000 / heartbeat_interval_ms(peer_stall_max));
}

path_lock::path_lock(const std::string& path) {
  descriptor_ = ::open((path + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw error(error_code::endpoint_invalid, "cannot create '" + escaped(path) + ".lock'",
                "choose an ipc path in an existing directory that this user may write", {"ipc://" + path});
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(std::exchange(descriptor_, -1));
  throw error(error_code::endpoint_in_use, "another running process holds the endpoint ipc://" + escaped(path),
              "stop it, or give this process an endpoint of its own", {"ipc://" + path});
}

path_lock::~path_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string bind_beside(zmq::socket_t& socket, const endpoint& control, const endpoint& advertised,
                        const std::string& name) {
  if (control.ipc) {
    socket.bind("ipc://" + control.path + "." + name);
    return "ipc://" + advertised.path + "." + name;
  }
  for (int attempt = 0; attempt != bind_attempts_max; ++attempt) {
    const int port = first_data_port + static_cast<int>(base::random_nonzero() % data_port_count);
    try {
      socket.bind("tcp://" + control.host + ":" + std::to_string(port));
      return "tcp://" + advertised.host + ":" + std::to_string(port);
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EADDRINUSE) throw;
    }
  }
  throw error(error_code::endpoint_in_use, "no free port from 20000 to 31999 for data", "free some ports on this host",
              {"tcp://" + control.host});
}

}  // namespace amphibus::zeromq
